"""What a visitor does, in a real browser on a served leaderboard."""

from __future__ import annotations

import re
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from harness.record import METRICS, RunRecord, record_id
from harness.store import STORE_NAME, Store
from leaderboard_app.look import ROW_PIXELS
from tests.harness.records import make
from tests.leaderboard_app.browser import (
    CHROMIUM,
    PHONE,
    WAIT_MS,
    chromium,
    keep,
    new_page,
    served,
    settle,
    visit,
)
from tests.leaderboard_app.conftest import Bundles

NASTY = "[a](javascript:alert(1)) <b>x</b> **y** :red[z]"
TOKEN = "known to few"

pytestmark = pytest.mark.skipif(
    not CHROMIUM.exists(), reason=f"there is no {CHROMIUM} (apt-get install chromium)"
)
expect.set_options(timeout=WAIT_MS)


class Site(NamedTuple):
    """A served folder of runs."""

    address: str
    dataset: str
    real: RunRecord
    """Of a row of two seeds, with evidence."""
    made_up: RunRecord
    """The row above it, on the same queries, without evidence."""
    nasty: RunRecord


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as one:
        yield one


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    one = new_page(browser)
    yield one
    one.close()


@pytest.fixture(scope="module")
def site(finished: Path, drawn: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Read-only, with pictures; two rows on a drawn set, and one whose names are markup."""
    out = Path(shutil.copytree(finished, tmp_path_factory.mktemp("site") / "runs"))
    store = Store(out / STORE_NAME)
    real = store.all()[0].record
    ap = [None if v is None else min(1.0, v + 0.2) for v in real.per_query.ap]
    made_up = _changed(
        real,
        method="made-up",
        recipe_hash="1" * 64,
        metrics=dict.fromkeys(METRICS, 99.0),
        intervals=dict.fromkeys(METRICS),
        per_query=real.per_query.model_dump() | {"ap": ap},
        evidence={},
    )
    named = {"label": NASTY, "data_hash": "2" * 64}
    nasty = _changed(real, method=NASTY, dataset=named, recipe={"name": NASTY}, evidence={})
    for record in (made_up, nasty):
        store.add(record, out / "elsewhere" / record.run_id / "record.json")
    with served(out, "--data", str(drawn)) as address:
        yield Site(address, real.dataset_label, real, made_up, nasty)


@pytest.fixture(scope="module")
def _own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    out = tmp_path_factory.mktemp("own") / "runs"
    out.mkdir()
    with served(out, "--allow-submit", HARNESS_SUBMIT_TOKEN=TOKEN) as address:
        yield address, out


@pytest.fixture
def own(_own: tuple[str, Path]) -> tuple[str, Path]:
    """The address and folder of a server that takes submissions; the folder is empty."""
    address, out = _own
    shutil.rmtree(out)
    out.mkdir()
    return address, out


def _changed(record: RunRecord, **changes: object) -> RunRecord:
    made = RunRecord.model_validate(record.model_dump(mode="json") | changes)
    return made.model_copy(update={"run_id": record_id(made)})


def _board(site: Site) -> str:
    return f"{site.address}?dataset={site.dataset}"


def _cells(page: Page, row: int) -> list[str]:
    """What the grid says in one row; it is drawn on a canvas and said again for screen readers."""
    cells = page.locator(f"[role=row][aria-rowindex='{row + 2}'] [role=gridcell]")
    expect(cells.first).to_be_attached()
    return [text.strip() for text in cells.all_text_contents()]


def _row(page: Page, method: str) -> int:
    """Where a method stands; how a tiny one fares against chance depends on the machine."""
    return next(row for row in range(3) if _cells(page, row)[0] == method)


def _pick(page: Page, method: str) -> None:
    """A click on the box of a row, which is a place on the canvas and no element."""
    row = _row(page, method)
    grid = page.get_by_test_id("stDataFrame").first
    grid.click(position={"x": 17, "y": ROW_PIXELS * (row + 1) + ROW_PIXELS // 2})


def _asked(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def _open(page: Page, title: str) -> None:
    """Unfold a part of the page and wait until it is."""
    part = page.locator("details", has=page.get_by_text(title, exact=True))
    part.locator("summary").click()
    expect(part).to_have_attribute("open", "")
    settle(page)


def _choose(page: Page, label: str, option: str) -> None:
    page.get_by_label(label, exact=True).first.click()
    page.get_by_role("option", name=option, exact=True).click()
    page.keyboard.press("Escape")
    settle(page)


def _says(page: Page, text: str | re.Pattern[str]) -> Locator:
    found = page.get_by_text(text).locator("visible=true").first
    expect(found).to_be_visible()
    return found


def test_a_first_start_shows_the_published_numbers(own: tuple[str, Path], page: Page) -> None:
    address, out = own
    visit(page, address)
    _says(page, "rgbnt201 · full (published numbers only)")
    assert "method" in page.locator("[role=columnheader]").all_text_contents()
    _says(page, re.compile(r"^1\d\d rows\. .*Published numbers have no rank"))
    assert float(_cells(page, 0)[1]) > 80
    expect(page.get_by_test_id("stException")).to_have_count(0)
    keep(page, "first")
    page.get_by_role("link", name="Progress").click()
    _says(page, "Progress of the field")
    settle(page)
    expect(page.get_by_test_id("stVegaLiteChart")).to_have_count(2)
    keep(page, "progress")
    assert not list(out.iterdir())


def test_filters_travel_with_the_address(site: Site, page: Page, browser: Browser) -> None:
    visit(page, f"{site.address}?dataset=rgbnt201")
    _open(page, "Filters")
    _choose(page, "Pretraining", "clip")
    warning = _says(page, re.compile(r"\d+ rows hidden by: pretraining \(\d+\)"))
    expect(page).to_have_url(re.compile("pretraining=clip"))
    settle(page)
    words, first = warning.inner_text(), _cells(page, 0)
    keep(page, "filters")
    other = new_page(browser)
    visit(other, page.url)
    expect(other.get_by_text(words)).to_be_visible()
    assert _cells(other, 0) == first
    other.close()


def test_columns_and_order_are_chosen(site: Site, page: Page) -> None:
    visit(page, _board(site))
    assert _row(page, "made-up") == 0
    _open(page, "Columns and order")
    page.get_by_text("Smallest first").click()
    expect(page).to_have_url(re.compile("up=1"))
    settle(page)
    assert _row(page, "made-up") == 2
    _choose(page, "Sort by", "method")
    expect(page).to_have_url(re.compile("sort=method"))
    _choose(page, "Columns; none chosen shows the usual ones", "Rank-1")
    expect(page).to_have_url(re.compile("column=R1"))
    settle(page)
    expect(page.locator("[role=columnheader]")).to_have_text(["method", "Rank-1"])
    assert (_row(page, "made-up"), _row(page, "tiny")) == (0, 1)
    keep(page, "columns")


def test_from_a_row_to_its_run_and_back(site: Site, page: Page) -> None:
    visit(page, _board(site))
    _pick(page, "tiny")
    expect(page).to_have_url(re.compile("row="))
    picked = page.url
    page.get_by_role("link", name=re.compile("Open ")).click()
    expect(page).to_have_url(re.compile(r"/run\?run="))
    _says(page, re.compile(f"Run {_asked(page)['run'][0]}"))
    settle(page)
    _says(page, "By camera of the query")
    expect(page.get_by_test_id("stVegaLiteChart")).to_have_count(2)
    keep(page, "run")
    page.go_back()
    expect(page).to_have_url(picked)
    settle(page)
    expect(page.get_by_role("link", name=re.compile("Open "))).to_be_visible()


def test_two_rows_are_compared(site: Site, page: Page) -> None:
    visit(page, _board(site))
    for count, method in enumerate(("made-up", "tiny"), start=1):
        _pick(page, method)
        expect(page.get_by_role("link", name=re.compile("Open "))).to_have_count(count)
        settle(page)
    assert len(_asked(page)["row"]) == 2
    keep(page, "picked")
    page.get_by_role("link", name="Compare 2 rows").click()
    _says(page, "Where they differ most")
    settle(page)
    _says(page, re.compile("95 % interval"))
    expect(page.get_by_test_id("stVegaLiteChart")).to_have_count(3)
    keep(page, "compare")


def test_the_worst_queries_with_their_pictures(site: Site, page: Page) -> None:
    visit(page, f"{site.address}queries?run={site.real.run_id}")
    images = page.get_by_test_id("stImage").locator("img")
    before = images.count()
    assert before > 5
    worst = _says(page, re.compile(r"^query \d+_cam")).inner_text()
    keep(page, "queries")
    page.get_by_role("button", name="Next").click()
    expect(page).to_have_url(re.compile("query="))
    expect(page.get_by_text(worst)).to_have_count(0)
    settle(page)
    page.get_by_text("Show what the protocol removed").click()
    _says(page, re.compile("^removed"))
    settle(page)
    assert images.count() > before
    # A picture was served, not a placeholder's address that leads nowhere.
    assert all(page.evaluate("() => [...document.images].map((i) => i.naturalWidth > 60)"))
    keep(page, "queries-removed")


def test_a_bundle_is_verified_and_not_kept_when_read_only(
    site: Site, page: Page, bundles: Bundles
) -> None:
    visit(page, f"{site.address}submit")
    page.locator("input[type=file]").set_input_files(bundles.good)
    _says(page, "The row it makes")
    _says(page, re.compile("read-only, so the row is not added"))
    settle(page)
    page.get_by_text(re.compile(r"^\d+ checks hold; ")).click()
    _says(page, "✓ rank lists")
    expect(page.get_by_role("button", name="Add it")).to_have_count(0)
    keep(page, "submit-good")
    page.locator("input[type=file]").set_input_files(bundles.bad)
    _says(page, re.compile("checks fail: this is not accepted"))
    _says(page, re.compile("✗ metrics mAP: the record says 99"))
    settle(page)
    expect(page.get_by_text("The row it makes")).to_have_count(0)
    keep(page, "submit-bad")


def test_a_bundle_is_added_by_who_knows_the_token(
    own: tuple[str, Path], page: Page, bundles: Bundles
) -> None:
    address, out = own
    visit(page, f"{address}submit")
    page.locator("input[type=file]").set_input_files(bundles.good)
    add = page.get_by_role("button", name="Add it to the leaderboard")
    page.get_by_label("Token").fill("guessed")
    add.click()
    _says(page, "That is not the token")
    assert not (out / STORE_NAME).exists()
    page.get_by_label("Token").fill(TOKEN)
    add.click()
    _says(page, "Added.")
    settle(page)
    keep(page, "submit-added")
    run = Store(out / STORE_NAME).get(bundles.run_id).record
    visit(page, f"{address}?dataset={run.dataset_label}&trust=rescored")
    assert _row(page, "tiny") in (0, 1)
    expect(page.get_by_text("hidden by")).to_have_count(0)


def test_a_phone_shows_all_of_it(site: Site, browser: Browser) -> None:
    page = new_page(browser, PHONE, 844)
    visit(page, _board(site))
    for test_id in ("stDataFrame", "stCaptionContainer"):
        box = page.get_by_test_id(test_id).first.bounding_box()
        assert box is not None and box["x"] >= 0 and box["x"] + box["width"] <= PHONE
    # Without scrolling: the grid knows only the columns that are on the screen.
    assert {"method", "mAP"} <= set(page.locator("[role=columnheader]").all_text_contents())
    page.get_by_test_id("stExpandSidebarButton").click()
    page.get_by_role("link", name="Queries", exact=True).click()
    _says(page, re.compile(r"^query \d+_cam"))
    settle(page)
    boxes = [one.bounding_box() for one in page.get_by_test_id("stImage").all()]
    lefts = {round(box["x"]) for box in boxes[1:] if box is not None}
    assert len(boxes) > 5 and len(lefts) == 1
    assert page.evaluate("() => document.documentElement.scrollWidth") <= PHONE
    page.close()


def test_the_keyboard_is_enough(site: Site, page: Page) -> None:
    visit(page, f"{site.address}?dataset=rgbnt201")
    box = page.get_by_label("Data set", exact=True).first
    for _ in range(30):
        page.keyboard.press("Tab")
        if box.evaluate(
            "(box) => box === document.activeElement || box.contains(document.activeElement)"
        ):
            break
    else:
        pytest.fail("30 tabs do not lead to the data set")
    page.keyboard.press("ArrowDown")
    options = page.get_by_role("option")
    expect(options.first).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page).not_to_have_url(re.compile("dataset=rgbnt201(&|$)"))
    settle(page)
    _says(page, re.compile(f"^{re.escape(_asked(page)['dataset'][0])} · "))


def _newer(out: Path) -> None:
    Store(out / STORE_NAME).add(make(), out / "record.json")
    with sqlite3.connect(out / STORE_NAME) as connection:
        connection.execute("UPDATE about SET schema_version = 99")
    connection.close()


def test_a_store_that_cannot_be_read_says_so(own: tuple[str, Path], page: Page) -> None:
    address, out = own
    _newer(out)
    visit(page, address)
    _says(page, "The runs cannot be read")
    _says(page, re.compile("schema 99"))
    keep(page, "newer")
    (out / STORE_NAME).unlink()
    Store(out / STORE_NAME).add(make(), out / "record.json")
    holder = sqlite3.connect(out / STORE_NAME, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    page.reload()
    _says(page, re.compile("is locked"))
    holder.close()
    page.reload()
    settle(page)
    expect(page.get_by_text("The runs cannot be read")).to_have_count(0)


@pytest.mark.parametrize("place", ["", "run", "compare", "sets"])
def test_names_of_strangers_are_never_markup(site: Site, page: Page, place: str) -> None:
    run = f"run={site.real.run_id}&run={site.nasty.run_id}"
    visit(page, f"{site.address}{place}?{run}&dataset={NASTY}&protocol=full")
    if place in ("", "run"):
        _says(page, NASTY)
    main = page.get_by_test_id("stMain")
    expect(main.locator("a[href^='javascript' i]")).to_have_count(0)
    for element in main.locator("b, strong, [style*=color]").all():
        assert (element.text_content() or "").strip() not in ("x", "y", "z")
    if place == "run":
        expect(page.get_by_text(f"recipe {NASTY}", exact=True)).to_be_visible()
        # Nothing leads to answers that are not here.
        expect(page.get_by_role("link", name="See its answers")).to_have_count(0)
        keep(page, "names")
