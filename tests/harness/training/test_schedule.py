"""Learning rates, digit for digit those of the authors' schedulers."""

from __future__ import annotations

import json

import numpy as np
import pytest

from harness.spec.recipe import Schedule
from harness.training.schedule import learning_rate
from tests.conftest import SHARED

GOLDEN = SHARED / "golden" / "schedule.npz"
METHODS = SHARED / "golden" / "methods"


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


def test_a_warmup_may_start_lower() -> None:
    schedule = Schedule(milestones=(3,), warmup_epochs=2, warmup_start=0.0)
    rates = [learning_rate(schedule, 2.0, e, 4, 0.5) for e in range(4)]
    assert rates == pytest.approx([0, 0.5, 1, 0.1])


PUBLISHED = {
    "mambapro": Schedule(kind="cosine_to_floor", warmup_start=0.01, floor=0.001),
    "mdreid": Schedule(kind="cosine_to_floor", floor=0.001, noise="timm-42"),
    "mfrnet": Schedule(kind="cosine_to_floor", floor=0.001, noise="timm-42"),
}
"""Without their warm-up, which differs between data sets."""


@pytest.mark.skipif(not METHODS.exists(), reason="the golden numbers are not on this machine")
@pytest.mark.parametrize("method", PUBLISHED)
def test_every_epoch_and_group_of_the_transformer_methods(method: str) -> None:
    for case in json.loads((METHODS / method / "schedule.json").read_text()).values():
        schedule = PUBLISHED[method].model_copy(update={"warmup_epochs": case["warmup"]})
        base, epochs = case["peak"]["base"], case["epochs"]
        for group, wanted in case["lr_of_epoch_1_to_E"].items():
            scale = case["peak"][group] / base
            rates = [learning_rate(schedule, base, e, epochs, scale) for e in range(epochs)]
            np.testing.assert_allclose(rates, wanted, rtol=1e-12)


# What the authors of DeMo and of TOP-ReID have, printed to six digits and three: for the rate, for
# biases at twice, and for an encoder at 5e-6.
DEMO = {
    1: (2.33813e-05, 3.56873e-05, 1.12512e-05),
    5: (3.03318e-04, 5.79062e-04, 3.15136e-05),
    10: (2.70531e-04, 5.41033e-04, 3.89287e-06),
    49: (7.40812e-07, 1.10891e-06, 3.77973e-07),
    50: (3.5e-07, 3.5e-07, 3.5e-07),
}
TOP_REID = {1: 9.81e-4, 10: 8.85e-3, 120: 9.00e-6}


def test_the_noisy_cosine_in_numbers() -> None:
    schedule = PUBLISHED["mdreid"].model_copy(update={"warmup_epochs": 10})
    for t, wanted in DEMO.items():
        rates = [learning_rate(schedule, 3.5e-4, t - 1, 50, s) for s in (1, 2, 1 / 70)]
        np.testing.assert_allclose(rates, wanted, rtol=1e-5)
    # An encoder's "warm-up" falls from six times its own rate.
    calm = schedule.model_copy(update={"noise": "none"})
    encoder = [learning_rate(calm, 3.5e-4, e, 50, 1 / 70) for e in range(50)]
    assert encoder[0] == pytest.approx(3.2e-5) and max(encoder) == encoder[0]


def test_the_cosine_to_a_floor_in_numbers() -> None:
    schedule = PUBLISHED["mambapro"].model_copy(update={"warmup_epochs": 10})
    for t, wanted in TOP_REID.items():
        assert learning_rate(schedule, 0.009, t - 1, 120) == pytest.approx(wanted, rel=1e-3)
    # The cosine counts from the first epoch, not from the end of the warm-up.
    assert learning_rate(schedule, 0.009, 9, 120) < learning_rate(schedule, 0.009, 0, 120, 20)
    assert learning_rate(schedule, 0.009, 119, 120, 2) == learning_rate(schedule, 0.009, 119, 120)


def test_the_noise_is_the_same_on_every_machine() -> None:
    """As the authors' scheduler drew it on another machine, with another version of torch."""
    schedule = Schedule(kind="cosine_to_floor", floor=1.0, noise="timm-42")
    factors = [learning_rate(schedule, 1.0, t - 1, 61) for t in range(1, 61)]
    wanted = {1: 0.3515989, 2: 1.058945, 6: 1.5185603, 14: 0.9611131, 22: 1.6430687, 60: 1.3348703}
    assert {t: round(factors[t - 1], 7) for t in wanted} == wanted
    assert learning_rate(schedule, 1.0, 60, 61) == 1.0
