"""`harness table --figure`: bars, and points of a t-SNE."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from harness.base.errors import RecordError
from harness.evidence.features_file import Side
from harness.scoring.labels import Labels
from harness.tables.tsne import IDENTITIES, joint_points
from tests.harness.tables.conftest import PLAN, Ask

pytest.importorskip("matplotlib", reason="figures need the extra `figures`")


def test_bars_name_every_row_and_say_whose_numbers_they_are(ask: Ask, tmp_path: Path) -> None:
    picture = tmp_path / "bars.svg"
    answer = ask("--run", "--seeds", "1,2", "--figure", picture)
    assert answer.code == 0
    drawn = picture.read_text()
    # matplotlib writes each text as a comment beside its glyphs.
    for words in ("narrow, claimed", "wide, claimed (estimated)", "chance, ours", "claimed: All"):
        assert f"<!-- {words}" in drawn, words


@pytest.mark.parametrize(("suffix", "magic"), [("png", b"\x89PNG"), ("pdf", b"%PDF")])
def test_a_table_without_runs_draws_its_claims(
    ask: Ask, tmp_path: Path, suffix: str, magic: bytes
) -> None:
    picture = tmp_path / f"bars.{suffix}"
    assert ask("--figure", picture).code == 0
    assert picture.read_bytes().startswith(magic)


def test_points_are_drawn_for_each_row_with_a_run(ask: Ask, plan: Path, tmp_path: Path) -> None:
    plan.write_text(PLAN.replace("metrics =", 'figure = "tsne"\nmetrics ='))
    picture = tmp_path / "points.svg"
    bare = ask("--figure", picture, "--json")
    assert bare.code == 2 and not picture.exists()
    assert ask("--run", "--figure", picture).code == 0
    drawn = picture.read_text()
    assert drawn.count("<!-- narrow -->") == 2 and drawn.count("<!-- wide -->") == 1
    assert all(f"<!-- {m} -->" in drawn for m in ("RGB", "NI", "TI"))


def test_features_that_mix_the_modalities_cannot_be_drawn(
    ask: Ask, plan: Path, tmp_path: Path
) -> None:
    mixed = PLAN.replace('"size=4"', '"size=4", "joined=true"')
    plan.write_text(mixed.replace("metrics =", 'figure = "tsne"\nmetrics ='))
    answer = ask("--run", "--figure", tmp_path / "points.png")
    assert answer.code == 2 and "narrow: the descriptor of pieces has no columns" in answer.err


def _side(width: int = 4) -> Side:
    """Eight identities; those of low numbers have fewer samples."""
    pids = np.repeat(np.arange(8), [2, 2, 5, 5, 5, 5, 5, 5])
    rng = np.random.default_rng(0)
    features = rng.normal(size=(len(pids), 3 * width)).astype(np.float32)
    features += 10 * pids[:, None]
    names = tuple(map(str, range(len(pids))))
    return Side(features, names, Labels(pids, np.zeros(len(pids), dtype=np.int64)))


def test_one_map_holds_the_modalities_of_the_identities_seen_most() -> None:
    points = joint_points(_side(), {"RGB": (0, 4), "NI": (4, 8), "TI": (8, 12)})
    assert points.places.shape == (3 * 5 * IDENTITIES, 2)
    assert sorted(set(points.pids)) == [2, 3, 4, 5, 6, 7]
    assert points.modalities.tolist() == ["RGB"] * 30 + ["NI"] * 30 + ["TI"] * 30
    # The three modalities are alike here: in one joint map an identity is near itself in all.
    centres = {p: points.places[points.pids == p].mean(axis=0) for p in set(points.pids)}
    for place, pid in zip(points.places, points.pids, strict=True):
        nearest = min(centres, key=lambda p: float(np.linalg.norm(place - centres[p])))
        assert nearest == pid


def test_modalities_of_different_widths_are_refused() -> None:
    with pytest.raises(RecordError, match="different widths"):
        joint_points(_side(), {"RGB": (0, 4), "NI": (4, 12)})


def test_without_matplotlib_the_extra_is_named(
    ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda n, *a: None if n == "matplotlib" else real(n, *a)
    )
    answer = ask("--figure", tmp_path / "t.png", "--json")
    assert (
        answer.code == 2
        and answer.error["do"] == "pip install -e '.[figures]', in the folder of the harness"
    )
