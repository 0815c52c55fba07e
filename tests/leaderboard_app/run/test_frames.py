"""A run's numbers taken apart."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from harness.evidence.evaluations import Evaluated
from harness.evidence.record import PerQuery
from harness.spec.plugins import load_plugins
from leaderboard_app.run.frames import by_group, modality_matrix, modality_order, robustness


def result(protocol: str, mAP: float) -> Evaluated:
    return Evaluated.model_construct(protocol=protocol, metrics={"mAP": mAP}, chance={"mAP": 5.0})


@pytest.fixture(scope="module")
def protocols() -> Any:
    return load_plugins().protocols


def test_groups_are_means_over_valid_queries_worst_first() -> None:
    per_query = PerQuery(
        names=("a", "b", "c", "d"), ap=(0.5, 1.0, 0.1, None), first_rank=(2, 1, 5, None)
    )
    found = by_group(per_query, [7, 7, 3, 9])
    assert list(found["group"]) == [3, 7, 9]
    assert list(found["valid"]) == [1, 2, 0]
    assert found["mAP"][:2].tolist() == pytest.approx([10.0, 75.0])
    assert found["R1"][:2].tolist() == [0.0, 50.0]
    assert np.isnan(found["mAP"][2])


def test_the_matrix_takes_only_protocols_that_leave_modalities_out(protocols: Any) -> None:
    names = ["full", "-TI", "RGB>TI", "corrupt-fog-3", "random-missing-10", "RGB>TI@regdb", "gone"]
    found = modality_matrix([result(n, float(i)) for i, n in enumerate(names)], protocols, "mAP")
    cells = {(r.query, r.gallery): r.value for r in found.itertuples()}
    assert cells == {("RGB+NI+TI", "RGB+NI+TI"): 0.0, ("RGB+NI", "RGB+NI"): 1.0, ("RGB", "TI"): 2.0}


def test_modality_sets_go_from_large_to_small() -> None:
    sets = ["TI", "RGB", "NI+TI", "RGB+NI+TI", "RGB+NI"]
    assert modality_order(sets) == ["RGB+NI+TI", "RGB+NI", "NI+TI", "RGB", "TI"]


def test_robustness_begins_at_the_clean_set(protocols: Any) -> None:
    results = [result("full", 60.0), result("corrupt-fog-2", 40.0), result("corrupt-fog-1", 50.0)]
    found = robustness([*results, result("corrupt-mixed", 1.0)], protocols, "mAP")
    assert list(zip(found["kind"], found["severity"], found["value"], strict=True)) == [
        ("fog", 0, 60.0),
        ("fog", 1, 50.0),
        ("fog", 2, 40.0),
    ]
    assert robustness(results[:1], protocols, "mAP").empty
