"""Equally near entries are ranked by their names' hash, whatever is scored and wherever."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.base.errors import FeaturesError
from harness.evidence.features_file import Side
from harness.evidence.record import read_record
from harness.evidence.written import checks_of_protocol
from harness.runs import sharded
from harness.runs.evaluation import Evaluation, evaluate, evaluate_reranked
from harness.scoring.distances import squared_euclidean
from harness.scoring.labels import Labels
from harness.scoring.reference import ranking_plain, score_plain
from harness.spec.dataset import load_card
from harness.spec.plugins import load_plugins
from harness.spec.protocol import BoundProtocol, Protocol
from tests.conftest import ROOT, Harness

CARD = load_card(ROOT / "datasets" / "cards" / "synthetic.toml")
FULL = load_plugins().protocols["full"].bind(CARD)
BEFORE = BoundProtocol(**{**FULL.model_dump(), "ties": None})
IDENTITIES, EACH = 30, 4


def side(values: Any, word: str = "") -> Side:
    """Samples sorted by identity, as every list is, with the given descriptors."""
    pids = np.repeat(np.arange(IDENTITIES), EACH)
    names = tuple(f"{word}{pid:06d}_cam{n % EACH}" for n, pid in enumerate(pids))
    labels = Labels(pids, np.arange(len(pids)) % EACH)
    return Side(np.asarray(values, dtype=np.float32), names, labels)


def coarse(seed: int) -> np.ndarray:
    """Descriptors of so few values that most of them are somebody else's, too."""
    rng = np.random.default_rng(seed)
    return rng.integers(0, 2, (IDENTITIES * EACH, 4)).astype(np.float32)


def slowly(query: Side, gallery: Side) -> tuple[np.ndarray, list[list[int]]]:
    """Average precisions and rankings by the plain loops, over the hashed order of the gallery."""
    order = sorted(
        range(len(gallery.names)), key=lambda i: hashlib.sha256(gallery.names[i].encode()).digest()
    )
    distances = squared_euclidean(query.features, gallery.features[order])
    labels = gallery.labels.take(np.array(order))
    found = score_plain(distances, query.labels, labels)
    lists = [
        [order[j] for j in ranking_plain(row, query.labels, i, labels, "same_pid_same_cam")]
        for i, row in enumerate(distances)
    ]
    return found.per_query_ap, lists


def same(one: Evaluation, other: Evaluation) -> None:
    assert one.metrics == other.metrics and one.tied_queries == other.tied_queries
    np.testing.assert_array_equal(one.score.per_query_ap, other.score.per_query_ap)
    np.testing.assert_array_equal(one.rank_lists, other.rank_lists)


@pytest.mark.parametrize("device", [None, "cpu"])
def test_ties_go_by_the_hash_of_the_names(device: str | None) -> None:
    query, gallery = side(coarse(0), "q"), side(coarse(1), "g")
    found = evaluate(query, gallery, FULL, device)
    ap, lists = slowly(query, gallery)
    np.testing.assert_allclose(found.score.per_query_ap, ap)
    assert [row[:50] for row in lists] == found.rank_lists.tolist()
    assert found.tied_queries > IDENTITIES * EACH // 2


def test_a_model_that_tells_nobody_apart_is_at_chance_and_said() -> None:
    alike = side(np.ones((IDENTITIES * EACH, 3)))
    found, before = evaluate(alike, alike, FULL), evaluate(alike, alike, BEFORE)
    chance = found.chance["mAP"]
    # Entries of one identity stood together: that alone was worth half as much again.
    assert before.metrics["mAP"] > 1.4 * chance
    assert abs(found.metrics["mAP"] - chance) < 0.2 * chance
    assert found.tied_queries == IDENTITIES * EACH and "120 of 120" in found.tie_warning()
    reranked = evaluate_reranked(alike, alike, FULL)
    assert abs(reranked.metrics["mAP"] - chance) < 0.2 * chance
    clear = side(np.random.default_rng(0).standard_normal((IDENTITIES * EACH, 8)))
    assert evaluate(clear, clear, FULL).tie_warning() == ""


def test_numpy_torch_and_several_processes_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    query, gallery = side(coarse(2), "q"), side(coarse(3), "g")
    whole = evaluate(query, gallery, FULL)
    same(evaluate(query, gallery, FULL, "cpu"), whole)
    parts = [slice(0, 64), slice(64, 120)]
    rows: list[Any] = []
    monkeypatch.setattr(sharded, "world", lambda: type("World", (), {"size": 2}))
    monkeypatch.setattr(sharded, "is_main", lambda: len(rows) == 2)
    monkeypatch.setattr(sharded, "share", lambda *_: parts[len(rows)])
    monkeypatch.setattr(sharded, "everyones", lambda own: rows.append(own) or rows)
    assert sharded.evaluated(query, gallery, FULL) is None
    merged = sharded.evaluated(query, gallery, FULL)
    assert merged is not None
    same(merged, whole)


def test_re_ranking_does_not_look_at_the_order_of_a_list() -> None:
    query, gallery = side(coarse(4), "q"), side(coarse(5), "g")
    found = evaluate_reranked(query, gallery, FULL)
    same(evaluate_reranked(query, gallery, FULL, "cpu"), found)
    # Lists in any other order give each query the same, with places of that list.
    other = np.random.default_rng(6).permutation(len(query.names))
    mixed = [
        Side(s.features[other], tuple(s.names[i] for i in other), s.labels.take(other))
        for s in (query, gallery)
    ]
    again = evaluate_reranked(mixed[0], mixed[1], FULL)
    np.testing.assert_array_equal(again.score.per_query_ap, found.score.per_query_ap[other])
    np.testing.assert_array_equal(other[again.rank_lists], found.rank_lists[other])


def test_a_record_of_before_keeps_its_order_and_is_no_other_protocol() -> None:
    kept = Path(__file__).parents[1] / "verify" / "kept" / "run" / "record.json"
    record = read_record(kept)
    assert BoundProtocol.model_validate(record.protocol).ties is None
    plugins = load_plugins()
    (named,) = [c for c in checks_of_protocol(record, CARD, plugins) if c.name.endswith("by name")]
    assert not named.problem and "version 2 here and 1 in the record" in named.unchecked
    # A protocol of somebody else, whose version did not change with the core.
    plugins.protocols["full"] = Protocol(name="full", title="theirs")
    (named,) = [c for c in checks_of_protocol(record, CARD, plugins) if c.name.endswith("by name")]
    assert not named.problem and "gallery order" in named.unchecked


def test_the_command_warns_and_refuses_descriptors_without_numbers(
    harness: Harness, drawn: Path, tmp_path: Path
) -> None:
    names = np.array(sorted(p.name for p in (drawn / "test" / "RGB").iterdir()))
    words = ("evaluate", "--features", tmp_path / "f.npz", "--dataset", drawn, "--json")
    np.savez(tmp_path / "f.npz", names=names, features=np.ones((len(names), 4), np.float32))
    answer = harness(*words)
    assert answer.json["tied_queries"] == answer.json["valid_queries"]
    assert "warning: full: ties decide" in answer.err and "(100.0 %)" in answer.err
    np.savez(tmp_path / "f.npz", names=names, features=np.ones((len(names), 0), np.float32))
    assert f"shape ({len(names)}, 0)" in harness(*words).error["seen"]
    nothing = side(np.ones((IDENTITIES * EACH, 0)))
    for scored in (evaluate, evaluate_reranked):
        with pytest.raises(FeaturesError, match="width 0"):
            scored(nothing, nothing, FULL)
