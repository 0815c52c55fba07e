"""MambaPro against numbers of its authors' code."""

from __future__ import annotations

import pytest
import torch

from baselines.mambapro.info import INFO
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
    """A case; the list of names is that of `main`, which reads its sequences from one end alone."""
    more: dict[str, tuple[int, ...]] = {}
    if name == "bidirectional":
        sequences = (*("intra.SSM_r", "intra.SSM_n", "intra.SSM_t"), "inter.SSM_2")
        for way in (f"AAM.ma_block.{i}.SSM_{s}_b" for i in range(2) for s in sequences):
            more |= {f"{way}.A_log": (1024, 16), f"{way}.D": (1024,)}
            more |= {f"{way}.x_proj.weight": (64, 1024), f"{way}.dt_proj.weight": (1024, 32)}
            more |= {f"{way}.{p}": (1024,) for p in ("dt_proj.bias", "out_norm.weight")}
            more[f"{way}.out_norm.bias"] = (1024,)
    return case(INFO, name, more=more)


def test_descriptors_and_losses() -> None:
    found = case(INFO, "main_f32")
    assert found.far(found.embedded(), "eval.feat") < found.close
    with torch.no_grad():
        hold_losses(found, found.method.loss(found.model.train(), found.batch))


@pytest.mark.slow
@pytest.mark.parametrize("name", names("mambapro"))
def test_every_case_whole(name: str) -> None:
    found = of(name)
    hold_descriptors(found)
    hold_steps(found)
