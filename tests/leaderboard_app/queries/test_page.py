"""Queries and their answers on a page."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from harness.evidence.features_file import read_own
from harness.evidence.record import RunRecord
from harness.store import STORE_NAME, Store, Stored
from tests.conftest import SHARED
from tests.leaderboard_app.conftest import words_of
from tests.leaderboard_app.runs import harness_run

AddRun = Callable[..., RunRecord]
Open = Callable[..., AppTest]

SAMPLE = SHARED / "data" / "rgbnt201-sample"


def _stored(out: Path) -> list[Stored]:
    return Store(out / STORE_NAME).all()


def _answers(page: AppTest) -> list[tuple[str, str]]:
    """Rank (or "removed") with its mark, and the gallery name, in the order of the page."""
    found = []
    for caption in page.caption:
        match = re.match(r"\*\*(.+?)\*\* · identity .*\n(.*)", str(caption.value))
        if match:
            found.append((match[1], match[2].replace("\\", "")))
    return found


def _check_order(page: AppTest, run: Stored, query: str) -> None:
    """What is shown is what ranks.npz, which the record names by hash, says."""
    folder = run.path.parent
    position = run.record.per_query.names.index(query)
    with np.load(folder / "ranks.npz") as arrays:
        ranked = [int(p) for p in arrays["rank_lists"][position] if p >= 0][:10]
    ask, gallery = read_own(folder / "features.npz")
    pid = ask.labels.pids[position]
    expected = [
        (f"{rank} {'✓' if gallery.labels.pids[p] == pid else '✗'}", gallery.names[p])
        for rank, p in enumerate(ranked, start=1)
    ]
    assert [a for a in _answers(page) if a[0] != "removed"] == expected


def test_no_evidence_says_how_to_make_some(opened: Open, add_run: AddRun) -> None:
    add_run()
    assert "No run here has stored descriptors yet" in words_of(opened("queries"))


def test_the_worst_query_comes_first_with_its_answers_in_order(
    opened: Open, finished: Path, drawn: Path
) -> None:
    run = _stored(finished)[-1]
    page = opened("queries", finished, ["--data", str(drawn)], run=run.record.run_id)
    ap = [v for v in run.record.per_query.ap if v is not None]
    name = page.selectbox(key="query").value
    assert run.record.per_query.ap[run.record.per_query.names.index(name)] == min(ap)
    _check_order(page, run, name)
    assert len(page.get("image")) == 1 + len(_answers(page))
    assert "not on this machine" not in words_of(page)


def test_pictures_that_are_not_here_are_placeholders(opened: Open, finished: Path) -> None:
    page = opened("queries", finished)
    assert "harness leaderboard --data FOLDER" in words_of(page)
    assert len(page.get("image")) == 1 + len(_answers(page))


def test_what_was_removed_is_shown_when_asked(opened: Open, finished: Path) -> None:
    run = _stored(finished)[0]
    plain = opened("queries", finished, run=run.record.run_id)
    full = opened("queries", finished, run=run.record.run_id, removed="1")
    query = plain.selectbox(key="query").value
    gone = [name for mark, name in _answers(full) if mark == "removed"]
    pid, cam = query.split("_")[:2]
    # The query itself is in the gallery, at distance 0 and on the same camera.
    assert query in gone
    assert all(name.startswith(f"{pid}_{cam}_") for name in gone)
    assert [a for a in _answers(full) if a[0] != "removed"] == _answers(plain)


def test_two_runs_side_by_side_differ_most_first(opened: Open, finished: Path) -> None:
    one, two = _stored(finished)
    page = opened("queries", finished, run=one.record.run_id, **{"with": two.record.run_id})
    pairs = zip(one.record.per_query.ap, two.record.per_query.ap, strict=True)
    sizes = [abs(a - b) for a, b in pairs if a is not None and b is not None]
    name = page.selectbox(key="query").value
    place = one.record.per_query.names.index(name)
    shown = abs(one.record.per_query.ap[place] - two.record.per_query.ap[place])  # type: ignore[operator]
    assert shown == max(sizes)
    assert [h.value.split(" \\(")[0] for h in page.subheader] == ["tiny", "tiny"]


def test_order_query_and_steps_are_in_the_address(opened: Open, finished: Path) -> None:
    run = _stored(finished)[0]
    page = opened("queries", finished, run=run.record.run_id, order="best")
    names = page.selectbox(key="query").options
    assert names[0].startswith("1 of ")
    page.button[1].click().run()
    second = page.selectbox(key="query").value
    assert page.query_params["query"] in (second, [second])
    again = opened("queries", finished, **page.query_params)
    assert again.selectbox(key="query").value == second
    first, other = (
        opened("queries", finished, order="random", draw=d).selectbox(key="query").options
        for d in ("1", "2")
    )
    assert first != other


def test_evidence_that_does_not_fit_says_so(opened: Open, finished: Path, tmp_path: Path) -> None:
    import shutil

    out = tmp_path / "out"
    shutil.copytree(finished, out)
    run = Store(out / STORE_NAME).all()[0]
    assert run.path.is_relative_to(out)
    np.savez(run.path.with_name("ranks.npz"), rank_lists=np.zeros((2, 3), np.int32))
    page = opened("queries", out, run=run.record.run_id)
    assert "do not fit" in words_of(page)
    assert not page.get("image")


@pytest.mark.skipif(not SAMPLE.is_dir(), reason="the real sample is not beside the project")
def test_real_pictures_stand_in_the_order_of_the_record(
    opened: Open, tiny: Path, tmp_path: Path
) -> None:
    harness_run(tiny, tmp_path, "--dataset", str(SAMPLE), "--recipe", "smoke")
    (run,) = _stored(tmp_path)
    for query in (
        n for n, ap in zip(run.record.per_query.names, run.record.per_query.ap, strict=True) if ap
    ):
        page = opened("queries", tmp_path, ["--data", str(SAMPLE)], query=query)
        _check_order(page, run, query)
        assert "not on this machine" not in words_of(page)
        break
