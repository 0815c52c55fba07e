"""What a visitor does at a server that starts empty and takes submissions, in a real browser."""

from __future__ import annotations

import re
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from harness.store import STORE_NAME, Store
from tests.harness.records import make
from tests.leaderboard_app.browser import (
    CHROMIUM,
    cells,
    keep,
    row_of,
    says,
    served,
    settle,
    visit,
)
from tests.leaderboard_app.conftest import Bundles

TOKEN = "known to few"

pytestmark = pytest.mark.skipif(
    not CHROMIUM.exists(), reason=f"there is no {CHROMIUM} (apt-get install chromium)"
)


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


def test_a_first_start_shows_the_published_numbers(own: tuple[str, Path], page: Page) -> None:
    address, out = own
    visit(page, address)
    says(page, "rgbnt201 · full (published numbers only)")
    assert "method" in page.locator("[role=columnheader]").all_text_contents()
    page.set_viewport_size({"width": 1440, "height": 900})
    settle(page)
    box = page.get_by_test_id("stDataFrame").first.bounding_box()
    assert box is not None and box["y"] < 260
    says(
        page, re.compile(r"^\d\d rows\. .*\d\d variants are folded.*Published numbers have no rank")
    )
    assert float(cells(page, 0)[1]) > 80
    expect(page.get_by_test_id("stException")).to_have_count(0)
    keep(page, "first")
    page.get_by_role("link", name="Progress").click()
    says(page, "Progress of the field")
    settle(page)
    expect(page.get_by_test_id("stVegaLiteChart")).to_have_count(2)
    keep(page, "progress")
    assert not list(out.iterdir())


def test_a_bundle_is_added_by_who_knows_the_token(
    own: tuple[str, Path], page: Page, bundles: Bundles
) -> None:
    address, out = own
    visit(page, f"{address}submit")
    page.locator("input[type=file]").set_input_files(bundles.good)
    add = page.get_by_role("button", name="Add it to the leaderboard")
    page.get_by_label("Token").fill("guessed")
    add.click()
    says(page, "That is not the token")
    assert not (out / STORE_NAME).exists()
    page.get_by_label("Token").fill(TOKEN)
    add.click()
    says(page, "Added.")
    settle(page)
    keep(page, "submit-added")
    run = Store(out / STORE_NAME).get(bundles.run_id).record
    visit(page, f"{address}?dataset={run.dataset_label}&trust=rescored")
    assert row_of(page, "tiny") in (0, 1)
    expect(page.get_by_text("hidden by")).to_have_count(0)


def _newer(out: Path) -> None:
    Store(out / STORE_NAME).add(make(), out / "record.json")
    with sqlite3.connect(out / STORE_NAME) as connection:
        connection.execute("UPDATE about SET schema_version = 99")
    connection.close()


def test_a_store_that_cannot_be_read_says_so(own: tuple[str, Path], page: Page) -> None:
    address, out = own
    _newer(out)
    visit(page, address)
    says(page, "The runs cannot be read")
    says(page, re.compile("schema 99"))
    keep(page, "newer")
    (out / STORE_NAME).unlink()
    Store(out / STORE_NAME).add(make(), out / "record.json")
    holder = sqlite3.connect(out / STORE_NAME, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    page.reload()
    says(page, re.compile("is locked"))
    holder.close()
    page.reload()
    settle(page)
    expect(page.get_by_text("The runs cannot be read")).to_have_count(0)
