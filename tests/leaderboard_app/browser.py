"""A served leaderboard and a real browser on it, for tests and for the pictures of the README."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from leaderboard_app.shared.look import ROW_PIXELS

CHROMIUM = Path("/usr/bin/chromium")
WIDE, PHONE = 1280, 390
SCHEMES: tuple[Any, Any] = ("light", "dark")
# Many times what a quiet machine needs: a busy one must not fail a test.
WAIT_MS = 90_000
expect.set_options(timeout=WAIT_MS)

_START_SECONDS = 120
_SETTLED = """() => {
    const app = document.querySelector('[data-testid=stApp]')
    if (!app || app.dataset.testScriptState !== 'notRunning') return false
    if (document.querySelector('[data-testid=stSkeleton], [data-testid=stSpinner]')) return false
    // What is in a tab that is not open is not drawn yet.
    const every = (id, part) => [...document.querySelectorAll(`[data-testid=${id}]`)]
        .filter((element) => element.offsetParent)
        .every((element) => element.querySelector(part))
    return every('stVegaLiteChart', 'canvas, svg.marks')
        && every('stDataFrame', '[role=columnheader]')
        && [...document.images].every((image) => image.complete)
}"""
_HEIGHT = "() => document.querySelector('[data-testid=stMain]').scrollHeight"
# A box that is still opening moves away from under a click. An animation that is paused, or a page
# that is not drawn, would be waited for without end.
_STILL = """async () => {
    const late = new Promise((done) => setTimeout(done, 5000))
    const ends = (one) => one.effect.getComputedTiming().iterations !== Infinity
    const moved = document.getAnimations().filter(ends).map((one) => one.finished)
    await Promise.race([Promise.allSettled(moved), late])
    const drawn = (done) => requestAnimationFrame(() => requestAnimationFrame(done))
    await Promise.race([new Promise(drawn), late])
}"""


@contextlib.contextmanager
def served(folder: Path, *options: str, **environment: str) -> Iterator[str]:
    """The address of `harness leaderboard` on an --out folder, until the block ends."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = ["leaderboard", "--out", str(folder), "--port", str(port), *options]
    with tempfile.TemporaryFile("w+") as log:
        server = subprocess.Popen(
            [sys.executable, "-c", "from harness.cli import main; main()", *words],
            env={**os.environ, "STREAMLIT_SERVER_HEADLESS": "true", **environment},
            stdout=log,
            stderr=subprocess.STDOUT,
            # The command starts Streamlit as a child; its group ends both.
            start_new_session=True,
        )
        try:
            _wait_for(f"http://127.0.0.1:{port}/_stcore/health", server, log)
            yield f"http://127.0.0.1:{port}/"
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(server.pid, signal.SIGKILL)
            server.wait(timeout=10)


def _wait_for(url: str, server: subprocess.Popen[bytes], log: IO[str]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    log.seek(0)
    raise AssertionError(f"the page did not come up:\n{log.read()}")


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's own browser, without a window."""
    with sync_playwright() as playwright:
        options = ["--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=options)
        yield browser
        browser.close()


def new_page(browser: Browser, width: int = WIDE, height: int = 900) -> Page:
    """A visitor nobody has seen before."""
    page = browser.new_page(viewport={"width": width, "height": height}, reduced_motion="reduce")
    page.set_default_timeout(WAIT_MS)
    return page


def settle(page: Page) -> None:
    """Wait until the page's script has ended and everything it drew is there."""
    page.wait_for_function(_SETTLED)
    page.evaluate(_STILL)


def visit(page: Page, address: str) -> None:
    """Open an address and wait for all of it."""
    page.goto(address)
    settle(page)


def shoot(page: Page, file: Path, width: int = WIDE, scheme: Any = "light") -> None:
    """The whole page as a picture at this width, in this colour scheme."""
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 844})
    settle(page)
    # Streamlit scrolls within the window, so the window is made as tall as what it scrolls.
    page.set_viewport_size({"width": width, "height": max(844, page.evaluate(_HEIGHT))})
    settle(page)
    page.screenshot(path=file)


def keep(page: Page, name: str, widths: tuple[int, ...] = (WIDE, PHONE)) -> None:
    """Pictures for $HARNESS_ARTEFACTS, where it is set: both schemes, both widths."""
    folder = os.environ.get("HARNESS_ARTEFACTS")
    if not folder:
        return
    before = page.viewport_size
    Path(folder).mkdir(parents=True, exist_ok=True)
    for width in widths:
        for scheme in SCHEMES:
            shoot(page, Path(folder) / f"{name}-{width}-{scheme}.png", width, scheme)
    page.emulate_media(color_scheme="light")
    if before is not None:
        page.set_viewport_size(before)
    settle(page)


def cells(page: Page, row: int) -> list[str]:
    """What the grid says in one row; it is drawn on a canvas and said again for screen readers."""
    found = page.locator(f"[role=row][aria-rowindex='{row + 2}'] [role=gridcell]")
    expect(found.first).to_be_attached()
    return [text.strip() for text in found.all_text_contents()]


def row_of(page: Page, method: str) -> int:
    """Where a method stands; how a tiny one fares against chance depends on the machine."""
    return next(row for row in range(3) if _is_of(cells(page, row)[0], method))


def _is_of(title: str, method: str) -> bool:
    """Whether a row is a method's; behind its name stands what sets a run of it apart."""
    return title.partition(" · ")[0] == method


def stands(page: Page, method: str, row: int) -> None:
    """Wait until a method stands in this row; what is said of a canvas is a little behind it."""
    first = page.locator(f"[role=row][aria-rowindex='{row + 2}'] [role=gridcell]").first
    expect(first).to_have_text(re.compile(rf"^{re.escape(method)}( · |$)"))


def pick(page: Page, method: str) -> None:
    """A click on the box of a row, which is a place on the canvas and no element."""
    row = row_of(page, method)
    grid = page.get_by_test_id("stDataFrame").first
    grid.click(position={"x": 17, "y": ROW_PIXELS * (row + 1) + ROW_PIXELS // 2})


def asked(page: Page) -> dict[str, list[str]]:
    """The parameters of the address."""
    return parse_qs(urlsplit(page.url).query)


def unfold(page: Page, title: str) -> None:
    """Open what is behind a button, if it is not open yet."""
    body = page.get_by_test_id("stPopoverBody")
    if not body.is_visible():
        page.get_by_role("button", name=re.compile(title)).click()
        expect(body).to_be_visible()
    settle(page)


def fold(page: Page) -> None:
    """Close it again."""
    body = page.get_by_test_id("stPopoverBody")
    if body.is_visible():
        page.keyboard.press("Escape")
    expect(body).to_have_count(0)


def choose(page: Page, label: str, option: str) -> None:
    """One more option of a box."""
    page.get_by_label(label, exact=True).first.click()
    page.get_by_role("option", name=option, exact=True).click()
    page.keyboard.press("Escape")
    settle(page)


def says(page: Page, text: str | re.Pattern[str]) -> Locator:
    """What the page says, once it can be seen."""
    found = page.get_by_text(text).locator("visible=true").first
    expect(found).to_be_visible()
    return found
