"""Every method that is installed keeps the contract, in the smallest form its config allows."""

from __future__ import annotations

from typing import Any

import pytest

from harness.conformance import CHECKS, Subject, learns
from harness.spec.plugins import load_plugins

PLUGINS = load_plugins()

# Full networks take seconds to fill with random numbers; the promises do not depend on their size.
_LITTLE = {"backbone": "resnet10t"}
_NARROW = {"depth": 2, "width": 32, "heads": 2, "drop_path": 0.0}
_SMALL_CLIP = {"depth": 2, "width": 32, "heads": 2, "out": 32}
SMALL: dict[str, dict[str, Any]] = {
    **dict.fromkeys(("editor", "top-reid"), _NARROW),
    **dict.fromkeys(("ddag", "hamnet", "hc", "ieee", "mpanet", "pfnet", "timm", "unicat"), _LITTLE),
    # torch's attention keeps its dropout where the check of parts switches layers of dropout off
    "demo": {"encoder": _SMALL_CLIP, "encoder_rate": 1.0, "attention_dropout": 0.0},
    "idea": {
        # CDA wants six patches in each direction
        "encoder": {**_SMALL_CLIP, "patch": 4},
        "stride": 4,
        "text": {"depth": 1, "width": 16, "heads": 2},
        "encoder_rate": 1.0,
        "inverse_dropout": 0.0,
    },
    "mambapro": {"encoder": _SMALL_CLIP, "encoder_rate": 1.0, "dt_rank": 4, "frozen": False},
    # Noise of the gates is drawn where the check of parts does not see it; experts at zero are
    # reached by no gradient.
    "mfrnet": {
        "encoder": _SMALL_CLIP,
        "encoder_rate": 1.0,
        "experts_init": "random",
        "gate_noise_drawn": False,
    },
    "osnet": {"width": 0.25},
    "mdreid": {"encoder": _SMALL_CLIP, "encoder_rate": 1.0},
    "signal": {
        # LAM wants eight patches in each direction
        "encoder": {**_SMALL_CLIP, "patch": 4},
        "stride": 4,
        "encoder_rate": 1.0,
        "top_k": 8,
    },
}
# Parameters that rightly have no gradient, and why.
EXPLAINED: dict[str, dict[str, str]] = {
    "editor": {r"^BACKBONE_(BN|HEAD)\.": "the heads of `each`, which are there with `joint`, too"},
    "top-reid": {
        r"^(RGB|NI|TI)\.(bottleneck|classifier)\.": "the heads of `each`, there with `joint`, too"
    },
}
LIGHT = ("timm",)
"""What learns by heart in seconds; the others do so among the slow tests."""
EPOCHS = {
    **dict.fromkeys(("editor", "top-reid"), 40),
    **dict.fromkeys(("demo", "idea", "mambapro", "mdreid", "mfrnet", "signal"), 50),
    **dict.fromkeys(("hacnn", "mlfn"), 20),
    "hc": 24,
    "mpanet": 50,
    "osnet": 16,
    "timm": 10,
}
"""Of four steps each; 12 are enough for most small ResNets."""
# At its published weight the hetero-center loss of a new network first pulls all features
# together; what the identities have of their own grows only over hundreds of steps.
TO_LEARN: dict[str, dict[str, Any]] = {"hc": {"weight_hc": 0.05}}


@pytest.fixture(scope="module")
def subjects() -> dict[str, Subject]:
    """Made once, so that checks share the models."""
    return {
        name: Subject(info, SMALL.get(name), explained=EXPLAINED.get(name))
        for name, info in PLUGINS.methods.items()
    }


def test_every_plugin_loads() -> None:
    assert PLUGINS.broken == []


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("method", sorted(PLUGINS.methods))
def test_the_contract(subjects: dict[str, Subject], method: str, check: str) -> None:
    CHECKS[check](subjects[method])


@pytest.mark.parametrize(
    "method",
    [m if m in LIGHT else pytest.param(m, marks=pytest.mark.slow) for m in sorted(PLUGINS.methods)],
)
def test_it_learns(method: str) -> None:
    config = SMALL.get(method, {}) | TO_LEARN.get(method, {})
    learned = learns(Subject(PLUGINS.methods[method], config), EPOCHS.get(method, 12))
    assert learned.rank1 > 90, learned
