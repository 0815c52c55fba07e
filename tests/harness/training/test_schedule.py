"""Learning rates, digit for digit those of the authors' schedulers."""

from __future__ import annotations

import json

import numpy as np
import pytest

from harness.spec.recipe import Schedule
from harness.training.schedule import learning_rate
from tests.conftest import SHARED

GOLDEN = SHARED / "golden" / "schedule.npz"


@pytest.mark.skipif(not GOLDEN.exists(), reason="the golden numbers are not on this machine")
@pytest.mark.parametrize("case", ["official", "alt"])
def test_steps_equal_the_authors_exactly(case: str) -> None:
    golden = np.load(GOLDEN)
    config = json.loads(str(golden[f"{case}.config"]))
    schedule = Schedule(milestones=tuple(config["stepsize"]), gamma=config["gamma"])
    rates = [
        learning_rate(schedule, config["lr"], e, config["epochs"]) for e in range(config["epochs"])
    ]
    assert rates == golden[f"{case}.lr_used_in_epoch"].tolist()


@pytest.mark.skipif(not GOLDEN.exists(), reason="the golden numbers are not on this machine")
def test_cosine_equals_the_authors_to_the_last_bits() -> None:
    golden = np.load(GOLDEN)
    config = json.loads(str(golden["cosine.config"]))
    rates = [
        learning_rate(Schedule(kind="cosine"), config["lr"], e, config["max_epoch"])
        for e in range(config["epochs"])
    ]
    # Theirs multiplies from epoch to epoch; ours is the closed form.
    np.testing.assert_allclose(rates, golden["cosine.lr_used_in_epoch"], rtol=1e-12, atol=1e-18)


def test_warmup_rises_to_the_base() -> None:
    schedule = Schedule(milestones=(5,), warmup_epochs=4)
    rates = [learning_rate(schedule, 1.0, e, 8) for e in range(8)]
    assert rates == pytest.approx([0.1, 0.325, 0.55, 0.775, 1, 0.1, 0.1, 0.1])


def test_milestones_that_fall_are_refused() -> None:
    with pytest.raises(ValueError, match="milestones must rise"):
        Schedule(milestones=(40, 20))
