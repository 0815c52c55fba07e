"""One journey through the served page in a real browser."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Locator, Page, expect, sync_playwright

from harness.record import RunRecord

AddRun = Callable[..., RunRecord]

CHROMIUM = Path("/usr/bin/chromium")
NASTY = "[a](javascript:alert(1)) <b>x</b>"
_START_SECONDS = 60
_WAIT_MS = 20_000

pytestmark = pytest.mark.skipif(
    not CHROMIUM.exists(), reason=f"there is no {CHROMIUM} (apt-get install chromium)"
)


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """The address of `harness leaderboard` on `tmp_path`."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = ["leaderboard", "--out", str(tmp_path), "--port", str(port)]
    local = {"STREAMLIT_SERVER_ADDRESS": "127.0.0.1", "STREAMLIT_SERVER_HEADLESS": "true"}
    log = tmp_path / "server.log"
    with log.open("w") as output:
        server = subprocess.Popen(
            [sys.executable, "-c", "from harness.cli import main; main()", *words],
            env={**os.environ, **local},
            stdout=output,
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


def _wait_for(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    pytest.fail(f"the page did not come up:\n{log.read_text()}")


@pytest.fixture
def page() -> Iterator[Page]:
    with sync_playwright() as playwright:
        options = ["--no-sandbox", "--disable-gpu"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=options)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(_WAIT_MS)
        yield page
        browser.close()


@pytest.fixture
def artefacts(tmp_path: Path) -> Path:
    folder = Path(os.environ.get("HARNESS_ARTEFACTS", tmp_path))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def test_from_the_table_to_a_record_and_back_by_its_address(
    add_run: AddRun, address: str, page: Page, artefacts: Path
) -> None:
    best = add_run(mAP=61.25, method="ieee", seed=40)
    add_run(mAP=42.5)
    nasty = add_run(mAP=30.0, method=NASTY, dataset=NASTY)

    page.goto(f"{address}?dataset=rgbnt201")
    table = page.get_by_test_id("stDataFrame")
    expect(table).to_have_count(1, timeout=_WAIT_MS)
    expect(page.locator("[role=gridcell]", has_text="ieee")).to_be_attached(timeout=_WAIT_MS)
    expect(_record_of(best, page)).to_have_count(0)
    _shoot(page, artefacts / "board.png", 1280, 900, "light", drawn=0)

    # The grid is drawn on a canvas: the first row is a place, not an element.
    table.click(position={"x": 120, "y": 52})
    expect(_record_of(best, page)).to_be_visible(timeout=_WAIT_MS)
    expect(page).to_have_url(f"{address}?dataset=rgbnt201&run={best.run_id}")

    page.reload()
    expect(_record_of(best, page)).to_be_visible(timeout=_WAIT_MS)
    for width, height in ((1280, 1500), (390, 2300)):
        for scheme in ("light", "dark"):
            _shoot(page, artefacts / f"record-{width}-{scheme}.png", width, height, scheme, drawn=2)

    page.goto(f"{address}?run={nasty.run_id}")
    expect(_record_of(nasty, page)).to_be_visible(timeout=_WAIT_MS)
    expect(page.get_by_role("heading", name=NASTY)).to_be_visible()
    expect(page.get_by_text(f"{NASTY}, recipe smoke")).to_be_visible()
    expect(page.locator("a[href^=javascript], b")).to_have_count(0)


def _record_of(record: RunRecord, page: Page) -> Locator:
    return page.get_by_role("heading", name=f"Run {record.run_id}")


def _shoot(
    page: Page, file: Path, width: int, height: int, scheme: Literal["light", "dark"], drawn: int
) -> None:
    """A picture of the page at this size and colour scheme, with `drawn` charts on it."""
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": height})
    charts = page.get_by_test_id("stVegaLiteChart").locator("canvas, svg.marks")
    expect(charts).to_have_count(drawn, timeout=_WAIT_MS)
    page.screenshot(path=file)
