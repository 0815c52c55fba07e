"""Methods by protocols of one data set."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from harness.board.matrix import CROSS, GROUPS, MISSING, datasets_of, group_means, overview
from harness.board.rows import BoardRow, BoardTable
from tests.leaderboard_app.rows import claim, row


def _table(protocol: str, *rows: BoardRow, dataset: str = "set") -> BoardTable:
    return BoardTable(dataset, "d" * 64, protocol, "p" * 64, {}, 10, 8, None, rows)


@given(st.dictionaries(st.sampled_from([*MISSING, *CROSS, "full"]), st.floats(0, 100)))
def test_a_mean_is_of_a_whole_group_or_not_there(values: dict[str, float]) -> None:
    means = group_means(values)
    for group, protocols in GROUPS.items():
        whole = len(protocols) > 1 and set(protocols) <= set(values)
        assert (group in means) == whole
        if whole:
            found = [values[p] for p in protocols]
            assert min(found) - 1e-9 <= means[group] <= max(found) + 1e-9


def test_a_run_under_several_protocols_is_one_row_and_so_are_claims_of_one_source() -> None:
    tables = [
        *(_table(p, row("r", 10.0 * n), claim(f"c-{p}", 5.0 * n, title="Method", source="paper"))
          for n, p in enumerate(MISSING, start=1)),
        _table("full", row("r", 90.0), claim("other", 80.0, title="Method", source="other paper")),
        _table("RGB>NI", row("r", 1.0), dataset="another"),
    ]  # fmt: skip
    found = overview(tables, "set")
    assert found.protocols == ("full", *MISSING)
    assert [(r.kind, r.name, len(r.cells)) for r in found.rows] == [
        ("run", "r", 7), ("claim", "Method", 6), ("claim", "Method", 1),
    ]  # fmt: skip
    assert found.rows[0].means == {"missing": 35.0}
    assert found.rows[1].means == {"missing": 17.5}
    assert datasets_of(tables) == ["set", "another"]


def test_of_two_numbers_of_one_line_the_first_hand_one_stands() -> None:
    copy = claim("copy", 60.0, title="M", source="s", tags=("second-hand",))
    own = claim("own", 50.0, title="M", source="s")
    (line,) = overview([_table("full", copy, own)], "set").rows
    assert line.cells["full"].value == 50.0
