"""A store that cannot be read gives a page that says so."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from harness.evidence.record import RunRecord
from harness.store import STORE_NAME, Store
from leaderboard_app.shared import data
from tests.harness.records import make

AddRun = Callable[..., RunRecord]
Open = Callable[..., AppTest]


def _newer(folder: Path) -> None:
    Store(folder / STORE_NAME).add(make(), folder / "record.json")
    with sqlite3.connect(folder / STORE_NAME) as connection:
        connection.execute("UPDATE about SET schema_version = 99")
    connection.close()


def _not_a_store(folder: Path) -> None:
    (folder / STORE_NAME).write_text("no database " * 100)


@pytest.mark.parametrize(
    ("spoil", "seen"),
    [(_newer, "schema 99"), (_not_a_store, "not a database")],
)
def test_a_store_that_cannot_be_read_says_what_to_do(
    opened: Open, tmp_path: Path, spoil: Callable[[Path], None], seen: str
) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    spoil(folder)
    _check_what_it_says(opened(folder=folder), seen)


def test_a_locked_store_says_so(
    opened: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data, "PATIENCE", 0.1)
    Store(tmp_path / STORE_NAME).add(make(), tmp_path / "record.json")
    connection = sqlite3.connect(tmp_path / STORE_NAME)
    connection.execute("BEGIN EXCLUSIVE")
    _check_what_it_says(opened(), "locked")
    connection.close()


def _check_what_it_says(page: AppTest, seen: str) -> None:
    assert not page.dataframe
    lines = [part.value for part in page.markdown]
    assert [line.split(":")[0] for line in lines] == ["**Seen", "**Expected", "**Do this"]
    assert seen in lines[0].replace("\\", "")
