"""The parameter names of MDReID's authors (stone96123/MDReID)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from baselines.mdreid.model import SHARED
from baselines.shared.clip_official import Official
from harness.base.errors import CheckpointError

_ENCODER = "backbone.encoder."
_TWIN, _TOKEN = f"{_ENCODER}add_image_token", f"{_ENCODER}class_embedding"
_POSITIONS = f"{_ENCODER}positional_embedding"
_IDLE = re.compile(r"heads\.necks\.(rs|ns|ts)\.")
"""Heads of both tokens of a modality, whose logits enter no loss."""

_OFFICIAL = Official(
    method="MDReID",
    encoder="BACKBONE.",
    rules=(
        (r"bottleneck_s\.(\w+)", rf"heads.necks.{SHARED}.norm.\1"),
        (r"classifier_s\.(\w+)", rf"heads.necks.{SHARED}.classifier.\1"),
    ),
)


def ours(state: Mapping[str, Any]) -> dict[str, Tensor]:
    """A state dict under our names; one that is ours already is returned as it is.

    Raises:
        CheckpointError: It is another method's, a name in it is not known, or its two tokens
            are not the same.
    """
    found = _OFFICIAL.ours(state)
    if _TWIN not in found:
        return found
    twin = found.pop(_TWIN)
    if not torch.equal(twin, found[_TOKEN]):
        raise CheckpointError(
            "class_embedding and add_image_token of this checkpoint have different values",
            "one parameter under both names, as the code of MDReID's authors has it",
            "pass a checkpoint of the public code as it is since November 2025",
        )
    table = found[_POSITIONS]
    found |= {_POSITIONS: table[:-1], "last_position": table[-1:]}
    return {key: value for key, value in found.items() if not _IDLE.match(key)}
