"""MFRNet against numbers of its authors' code."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from baselines.mfrnet.info import INFO
from harness.conformance.checks import rows_of
from tests.baselines.published import (
    Case,
    case,
    hold_descriptors,
    hold_losses,
    hold_steps,
    names,
    needed,
)

pytestmark = needed


def of(name: str) -> Case:
    """A case; the list of names is that of `main`, which has neither of these."""
    more: dict[str, tuple[int, ...]] = {}
    if "vehicle" in name:
        for letter in "rnt":
            more[f"classifier_{letter}.weight"] = (6, 512)
            for part in ("weight", "bias", "running_mean", "running_var"):
                more[f"bottleneck_{letter}.{part}"] = (512,)
            more[f"bottleneck_{letter}.num_batches_tracked"] = ()
    if "global_local" in name:
        for modality in ("rgb", "nir", "tir"):
            more |= {f"{modality}_reduce.0.{part}": (1024,) for part in ("weight", "bias")}
            more |= {
                f"{modality}_reduce.1.weight": (512, 1024),
                f"{modality}_reduce.1.bias": (512,),
            }
    return case(INFO, name, more=more)


def test_descriptors_and_losses() -> None:
    found = of("main_f32")
    assert found.far(found.embedded(), "eval.feat") < found.close
    with torch.no_grad():
        hold_losses(found, found.method.loss(found.model.train(), found.batch))


@pytest.mark.slow
def test_what_the_batch_decides() -> None:
    """Without a capacity, in a batch of two, and alone, where no expert is asked."""
    found = of("main")
    for first, name in ((2, "first_two_images"), (1, "first_image_alone")):
        batch = rows_of(found.batch, list(range(first)))
        with torch.no_grad():
            some = found.method.embed(found.model.eval(), batch)
        assert found.far(some, f"eval.feat.{name}") < found.close
    found.model.config = found.model.config.model_copy(update={"capacity": "none"})
    free = found.embedded()
    assert found.far(free, "eval.feat.no_capacity") < found.close
    assert not np.allclose(free[:2], found.want["eval.feat"][:2], rtol=0.1)


@pytest.mark.slow
@pytest.mark.parametrize("name", names("mfrnet"))
def test_every_case_whole(name: str) -> None:
    found = of(name)
    hold_descriptors(found)
    hold_steps(found)
