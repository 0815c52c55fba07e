"""MambaPro against numbers of its authors' code."""

from __future__ import annotations

import pytest
import torch

from baselines.mambapro.info import INFO
from tests.baselines.published import (
    case,
    hold_descriptors,
    hold_losses,
    hold_steps,
    names,
    needed,
)

pytestmark = needed


def test_descriptors_and_losses() -> None:
    found = case(INFO, "main_f32")
    assert found.far(found.embedded(), "eval.feat") < found.close
    with torch.no_grad():
        hold_losses(found, found.method.loss(found.model.train(), found.batch))


@pytest.mark.slow
@pytest.mark.parametrize("name", names("mambapro"))
def test_every_case_whole(name: str) -> None:
    found = case(INFO, name)
    hold_descriptors(found)
    hold_steps(found)
