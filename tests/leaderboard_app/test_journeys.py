"""What a visitor does, in a real browser on a served leaderboard."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from harness.evidence.record import METRICS, RunRecord, record_id
from harness.store import STORE_NAME, Store
from leaderboard_app.shared.look import ROW_PIXELS
from tests.leaderboard_app.browser import (
    CHROMIUM,
    PHONE,
    asked,
    cells,
    choose,
    fold,
    keep,
    new_page,
    pick,
    says,
    served,
    settle,
    stands,
    unfold,
    visit,
)
from tests.leaderboard_app.conftest import Bundles

NASTY = "[a](javascript:alert(1)) <b>x</b> **y** :red[z]"

pytestmark = pytest.mark.skipif(
    not CHROMIUM.exists(), reason=f"there is no {CHROMIUM} (apt-get install chromium)"
)


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


def _changed(record: RunRecord, **changes: object) -> RunRecord:
    made = RunRecord.model_validate(record.model_dump(mode="json") | changes)
    return made.model_copy(update={"run_id": record_id(made)})


def _count(words: Locator) -> int:
    """The number that a sentence begins with."""
    return int(words.inner_text().split()[0])


def _board(site: Site) -> str:
    return f"{site.address}?dataset={site.dataset}"


def test_filters_travel_with_the_address(site: Site, page: Page, browser: Browser) -> None:
    visit(page, f"{site.address}?dataset=rgbnt201&variants=1")
    every = _count(says(page, re.compile(r"^\d+ rows\.")))
    unfold(page, "Filters")
    choose(page, "Pretraining", "clip")
    warning = says(page, re.compile(r"^\d+ rows hidden by: pretraining \(\d+\)"))
    expect(page).to_have_url(re.compile("pretraining=clip"))
    words = warning.inner_text()
    left = f"{every - _count(warning)} rows."
    fold(page)
    says(page, left)
    keep(page, "filters")
    other = new_page(browser)
    visit(other, page.url)
    says(other, words)
    says(other, left)
    settle(page)
    stands(other, cells(page, 0)[0], 0)
    other.close()


def test_columns_and_order_are_chosen(site: Site, page: Page) -> None:
    visit(page, _board(site))
    stands(page, "made-up", 0)
    unfold(page, "Columns and order")
    page.get_by_text("Smallest first").click()
    expect(page).to_have_url(re.compile("up=1"))
    fold(page)
    settle(page)
    stands(page, "made-up", 2)
    unfold(page, "Columns and order")
    choose(page, "Columns; none chosen shows the usual ones", "Rank-1")
    expect(page).to_have_url(re.compile("column=R1"))
    fold(page)
    expect(page.locator("[role=columnheader]")).to_have_text(["method", "Rank-1"])
    # A click on a header sorts what the files hold, too: it is in the address.
    grid = page.get_by_test_id("stDataFrame").first
    grid.click(position={"x": 80, "y": ROW_PIXELS // 2})
    expect(page).to_have_url(re.compile("sort=method"))
    settle(page)
    stands(page, "made-up", 0)
    stands(page, "tiny", 1)
    keep(page, "columns")


def test_from_a_row_to_its_seeds_to_a_run_and_back(site: Site, page: Page) -> None:
    visit(page, _board(site))
    pick(page, "tiny")
    expect(page).to_have_url(re.compile("row="))
    picked = page.url
    page.get_by_role("link", name=re.compile("Open ")).click()
    says(page, re.compile("2 seeds"))
    settle(page)
    keep(page, "seeds")
    page.get_by_role("button", name="Open seed 1").click()
    expect(page).to_have_url(re.compile(f"run={site.real.run_id}$"))
    says(page, re.compile(f"Run {site.real.run_id}"))
    settle(page)
    says(page, "By camera of the query")
    keep(page, "run")
    visit(page, picked)
    settle(page)
    expect(page.get_by_role("link", name=re.compile("Open "))).to_be_visible()


def test_two_rows_are_compared(site: Site, page: Page) -> None:
    visit(page, _board(site))
    for count, method in enumerate(("made-up", "tiny"), start=1):
        pick(page, method)
        expect(page.get_by_role("link", name=re.compile("Open "))).to_have_count(count)
        settle(page)
    assert len(asked(page)["row"]) == 2
    keep(page, "picked")
    page.get_by_role("link", name="Compare 2 rows").click()
    says(page, "Where they differ most")
    settle(page)
    says(page, re.compile("95 % interval"))
    expect(page.get_by_test_id("stVegaLiteChart")).to_have_count(3)
    keep(page, "compare")


def test_the_worst_queries_with_their_pictures(site: Site, page: Page) -> None:
    visit(page, f"{site.address}queries?run={site.real.run_id}")
    images = page.get_by_test_id("stImage").locator("img")
    before = images.count()
    assert before > 5
    worst = says(page, re.compile(r"^query \d+_cam")).inner_text()
    keep(page, "queries")
    page.get_by_role("button", name="Next").click()
    expect(page).to_have_url(re.compile("query="))
    expect(page.get_by_text(worst)).to_have_count(0)
    settle(page)
    page.get_by_text("Show what the protocol removed").click()
    says(page, re.compile("^removed"))
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
    says(page, "The row it makes")
    says(page, re.compile("read-only, so the row is not added"))
    settle(page)
    page.get_by_text(re.compile(r"^\d+ checks hold; ")).click()
    says(page, "✓ rank lists")
    expect(page.get_by_role("button", name="Add it")).to_have_count(0)
    keep(page, "submit-good")
    page.locator("input[type=file]").set_input_files(bundles.bad)
    says(page, re.compile("checks fail: this is not accepted"))
    says(page, re.compile("✗ metrics mAP: the record says 99"))
    settle(page)
    expect(page.get_by_text("The row it makes")).to_have_count(0)
    keep(page, "submit-bad")


def test_a_phone_shows_all_of_it(site: Site, browser: Browser) -> None:
    page = new_page(browser, PHONE, 844)
    visit(page, _board(site))
    for test_id in ("stDataFrame", "stCaptionContainer"):
        box = page.get_by_test_id(test_id).first.bounding_box()
        assert box is not None and box["x"] >= 0 and box["x"] + box["width"] <= PHONE
    # Without scrolling: the grid knows only the columns that are on the screen.
    assert {"method", "mAP", "Rank-1"} <= set(
        page.locator("[role=columnheader]").all_text_contents()
    )
    page.get_by_test_id("stExpandSidebarButton").click()
    page.get_by_role("link", name="Queries", exact=True).click()
    says(page, re.compile(r"^query \d+_cam"))
    settle(page)
    boxes = [one.bounding_box() for one in page.get_by_test_id("stImage").all()]
    lefts = {round(box["x"]) for box in boxes[1:] if box is not None}
    # Two in a row.
    assert len(boxes) > 5 and len(lefts) == 2
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
    says(page, re.compile(rf"{re.escape(asked(page)['dataset'][0])} · "))


@pytest.mark.parametrize("place", ["", "run", "compare", "sets"])
def test_names_of_strangers_are_never_markup(site: Site, page: Page, place: str) -> None:
    run = f"run={site.real.run_id}&run={site.nasty.run_id}"
    visit(page, f"{site.address}{place}?{run}&dataset={NASTY}&protocol=full")
    if place in ("", "run"):
        says(page, NASTY)
    main = page.get_by_test_id("stMain")
    expect(main.locator("a[href^='javascript' i]")).to_have_count(0)
    for element in main.locator("b, strong, [style*=color]").all():
        assert (element.text_content() or "").strip() not in ("x", "y", "z")
    if place == "run":
        expect(page.get_by_text(f"recipe {NASTY}", exact=True)).to_be_visible()
        # Nothing leads to answers that are not here.
        expect(page.get_by_role("link", name="See its answers")).to_have_count(0)
        keep(page, "names")


def test_a_stranger_finds_the_source_of_a_claim_in_two_clicks(site: Site, page: Page) -> None:
    visit(page, f"{site.address}?dataset=rgbnt201&protocol=full&search=IEEE+AAAI+2022")
    name = cells(page, 0)[0]
    grid = page.get_by_test_id("stDataFrame").first
    # The first click: a name.
    grid.click(position={"x": 80, "y": ROW_PIXELS + ROW_PIXELS // 2})
    expect(page).to_have_url(re.compile(r"/claim\?claim="))
    says(page, re.compile(f"^{re.escape(name.split(' ')[0])}"))
    # The second one would open it.
    source = page.get_by_role("link", name=re.compile("Open the source"))
    expect(source).to_have_attribute("href", re.compile("^https://"))
    settle(page)
    keep(page, "claim")


def test_an_author_gets_latex_of_five_rows(site: Site, page: Page) -> None:
    visit(page, f"{site.address}?dataset=rgbnt201&protocol=full&show=clean")
    for row in range(5):
        grid = page.get_by_test_id("stDataFrame").first
        grid.click(position={"x": 17, "y": ROW_PIXELS * (row + 1) + ROW_PIXELS // 2})
        says(page, re.compile(f"^The files hold {row + 1} rows?"))
        settle(page)
    names = [cells(page, row)[0] for row in range(5)]
    with page.expect_download() as download:
        page.get_by_role("button", name="Download LaTeX").click()
    text = Path(download.value.path()).read_text(encoding="utf-8")
    assert r"\toprule" in text
    body = text.split(r"\midrule")[1].split(r"\bottomrule")[0].strip().splitlines()
    assert [line.split(" & ")[0].split(" (")[0] for line in body] == [
        name.split(" (")[0] for name in names
    ]


@pytest.mark.parametrize("place", ["run?run=0123456789abcdef", "nosuch", "claim?claim=none"])
def test_a_reviewer_opens_a_link_to_what_is_not_there(site: Site, page: Page, place: str) -> None:
    visit(page, site.address + place)
    says(page, "Not in this store")
    name = place.rpartition("=")[2]
    says(page, re.compile(f"asks for the (run|page|claim) '{name}'"))
    expect(page.get_by_test_id("stDataFrame")).to_have_count(0)
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_role("link", name="The board: everything that is here").click()
    expect(page.get_by_test_id("stDataFrame").first).to_be_visible()


def test_a_phone_compares_two_rows(site: Site, browser: Browser) -> None:
    page = new_page(browser, PHONE, 844)
    visit(page, _board(site))
    for count, method in enumerate(("made-up", "tiny"), start=1):
        pick(page, method)
        expect(page.get_by_role("link", name=re.compile("Open "))).to_have_count(count)
        settle(page)
    page.get_by_role("link", name="Compare 2 rows").click()
    says(page, re.compile("^By identity, tiny"))
    settle(page)
    assert page.evaluate("() => document.documentElement.scrollWidth") <= PHONE
    page.close()
