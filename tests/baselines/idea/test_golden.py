"""IDEA against numbers of its authors' code."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from baselines.idea.info import INFO
from baselines.idea.model import IdeaNet
from baselines.idea.wording import prompt_ids
from harness.data.tokens import encoded
from harness.spec.text import framed
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
# Their names of offsets that are not shared are in a file that this case does not point to.
KEYS = {"own_offsets_f64": "keys_own_offsets.tsv"}


def opened(name: str) -> Case:
    return case(INFO, name, KEYS.get(name))


def test_descriptors_losses_and_ids() -> None:
    found = opened("rgbnt201_f32")
    assert found.far(found.embedded(), "eval.feat") < found.close
    with torch.no_grad():
        hold_losses(found, found.method.loss(found.model.train(), found.batch))
    assert isinstance(found.model, IdeaNet)
    ids = encoded(text for texts in found.about["captions"].values() for text in texts)
    for modality, texts in found.about["captions"].items():
        prompt = prompt_ids(found.model.config, modality)
        ours = [framed(ids[text], prompt) for text in texts]
        np.testing.assert_array_equal(ours, found.want[f"tokens.{modality}"])


@pytest.mark.slow
@pytest.mark.parametrize("name", names("idea"))
def test_every_case_whole(name: str) -> None:
    found = opened(name)
    hold_descriptors(found)
    for descriptor in ("visual", "tokens"):
        assert isinstance(found.model, IdeaNet)
        usual = found.model.config
        found.model.config = usual.model_copy(update={"descriptor": descriptor})
        assert found.far(found.embedded(), f"eval.feat_{descriptor}") < found.close
        found.model.config = usual
    hold_steps(found)
