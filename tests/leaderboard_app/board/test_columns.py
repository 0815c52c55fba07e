"""What the board says of a row, and that a download says the same."""

from __future__ import annotations

import csv
import io

import pytest

from harness.evidence.record import METRICS
from harness.export import render
from leaderboard_app.board.columns import (
    ALWAYS,
    AT_FIRST,
    CHANCE,
    COLUMNS,
    Order,
    frame,
    places,
    shown_columns,
    sorted_rows,
    tied,
    uncertainty,
)
from leaderboard_app.board.downloads import view
from tests.leaderboard_app.rows import claim, row, table


def test_who_was_given_captions_cannot_be_hidden() -> None:
    told, plain = row("a", tags=("text-at-test",)), row("b")
    assert shown_columns((plain,), ["R1"]) == {ALWAYS, "R1"}
    assert shown_columns((plain, told), ["R1"]) == {ALWAYS, "R1", "tags"}
    assert "tags" in shown_columns((told,), ())


def test_a_rank_is_a_place_or_a_range() -> None:
    assert places(row("a", rank=(2, 2))) == "2"
    assert places(row("a", rank=(1, 3))) == "1–3"
    assert places(claim("a")) is None


@pytest.mark.parametrize(("group", "letters"), [(1, "a"), (26, "z"), (27, "aa"), (None, None)])
def test_groups_have_letters(group: int | None, letters: str | None) -> None:
    assert tied(row("a", tie_group=group)) == letters


def test_groups_sort_as_they_are_counted() -> None:
    rows = [row("later", tie_group=27), row("sooner", tie_group=2)]
    assert [r.key for r in sorted_rows(rows, "ties", downwards=False)] == ["sooner", "later"]


def test_uncertainty_is_an_interval_or_a_spread() -> None:
    assert uncertainty(row("a", intervals={"mAP": (40.0, 60.25)})) == "40.00 to 60.25"
    several = row("a", spread=dict.fromkeys(METRICS, 1.5), seeds=(1, 2, 3))
    assert uncertainty(several) == "± 1.50 (3 seeds)"
    assert uncertainty(claim("a")) is None


@pytest.mark.parametrize("name", COLUMNS)
def test_every_column_can_sort_and_puts_silence_last(name: str) -> None:
    full = row(
        "b", 60.0, year=2022, rank=(1, 2), tie_group=1, parameters=10**6, gflops=2.0,
        descriptor=512, tags=("x",), source="s", source_url="https://e.org", venue="AAAI",
        backbone="r", conflict="c1", intervals={"mAP": (1.0, 2.0)},
    )  # fmt: skip
    bare = claim("a", None)
    for downwards in (True, False):
        ordered = sorted_rows([bare, full], name, downwards)
        if COLUMNS[name].get(bare) in (None, [], ""):
            assert ordered == [full, bare]
        else:
            assert ordered != sorted_rows([bare, full], name, not downwards)


def test_the_download_holds_what_is_on_the_page() -> None:
    rows = [row("b", 60.125, intervals={"mAP": (50.0, 70.0)}), claim("a", 40.0, source="a paper")]
    names = ["method", "mAP", "uncertainty", "source"]
    shown = frame(rows, names)
    assert list(shown["mAP"]) == [60.125, 40.0]
    order = Order("mAP", downwards=True)
    made = view(table(*rows), rows, names, "1 row hidden by: kind (1).", order)
    text = render(made, "csv")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    read = list(csv.reader(io.StringIO("\n".join(lines))))
    assert [line[0] for line in read[1:]] == ["b", "a", CHANCE]
    assert float(read[1][1]) == pytest.approx(60.125, abs=0.006)
    assert "1 row hidden by" in render(made, "markdown")
    assert made.inputs_hash != view(table(*rows), rows[:1], names, "", order).inputs_hash


def test_the_chance_level_stands_in_a_download_where_it_stands_on_the_page() -> None:
    rows = [row("a", 60.0), row("b", 3.0)]
    for order, place in ((Order("mAP", True), 1), (Order("mAP", False), 1)):
        ordered = sorted_rows(rows, *order)
        text = render(view(table(*rows), ordered, ["method", "mAP"], "", order), "markdown")
        lines = [line.split("|")[1].strip() for line in text.splitlines() if line.startswith("|")]
        assert lines.index(CHANCE) == place + 2
    by_name = Order("method", False)
    assert CHANCE not in render(view(table(*rows), rows, ["method"], "", by_name), "markdown")


def test_every_header_has_a_sentence_of_help() -> None:
    assert [name for name, column in COLUMNS.items() if not column.help] == []


def test_the_usual_columns_exist() -> None:
    assert set(AT_FIRST) <= set(COLUMNS)
    assert ALWAYS in AT_FIRST
