"""Checkpoints of PFNet as IEEE's authors released it: their parameter names, in ours and back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from harness.base.errors import CheckpointError
from harness.spec.modality import MODALITIES

_BRANCHES = ("RGB", "NI", "TI", "RGB_TI", "RGB_NI")
"""In the order of the authors' reductions."""
_LETTERS = dict(zip(_BRANCHES, ("RGB", "NI", "TI", "RT", "RN"), strict=True))

_PAIRS = (
    ("backbones.{modality}.body.{tail}", "backbone.{number}.{tail}"),
    ("branches.{branch}.reduction.conv.{tail}", "reduce_layer.{index}.layers.0.{tail}"),
    ("branches.{branch}.reduction.bn.{tail}", "reduce_layer.{index}.layers.1.{tail}"),
    ("branches.{branch}.embed.{part}.linear.{tail}", "fc_{letters}.{part}.0.0.{tail}"),
    ("branches.{branch}.embed.{part}.bn.{tail}", "fc_{letters}.{part}.0.1.{tail}"),
    ("branches.{branch}.classify.{part}.{tail}", "classifier_{letters}.{part}.{tail}"),
    ("classifier.{tail}", "classifier_all.{tail}"),
)
"""Our names, and theirs."""

_TOKENS = {
    "modality": "(?P<modality>RGB|NI|TI)",
    "number": "(?P<number>[012])",
    "branch": "(?P<branch>RGB_TI|RGB_NI|RGB|NI|TI)",
    "index": "(?P<index>[0-4])",
    "letters": "(?P<letters>RGB|NI|TI|RT|RN)",
    "part": "(?P<part>[01])",
    "tail": "(?P<tail>.+)",
}


def _pattern(template: str) -> re.Pattern[str]:
    escaped = template.replace(".", r"\.")
    return re.compile(re.sub(r"\{(\w+)\}", lambda m: _TOKENS[m[1]], escaped))


_TO_OFFICIAL = [(_pattern(ours), theirs) for ours, theirs in _PAIRS]
_TO_OURS = [(_pattern(theirs), ours) for ours, theirs in _PAIRS]


def official_name(our_key: str) -> str:
    """The authors' name of a parameter or buffer of ours, with three modalities.

    Raises:
        CheckpointError: It is no key of a PFNet.
    """
    return _translate(our_key, _TO_OFFICIAL)


def is_official(state: Mapping[str, Any]) -> bool:
    """Whether a state dict, or a checkpoint that holds one, has the authors' names."""
    return any(key.startswith(("backbone.0.", "classifier_")) for key in _weights(state))


def to_our_names(state: Mapping[str, Any]) -> dict[str, Any]:
    """The authors' state dict, or the one in their checkpoint, under our names.

    Raises:
        CheckpointError: A key is none of theirs.
    """
    return {_translate(key, _TO_OURS): value for key, value in _weights(state).items()}


def _weights(state: Mapping[str, Any]) -> dict[str, Tensor]:
    """The state dict itself: out of its checkpoint, without DataParallel's prefix."""
    inner = state.get("state_dict")
    weights = inner if isinstance(inner, Mapping) else state
    return {key.removeprefix("module."): value for key, value in weights.items()}


def _translate(key: str, rules: list[tuple[re.Pattern[str], str]]) -> str:
    for pattern, template in rules:
        found = pattern.fullmatch(key)
        if found:
            return template.format(**_completed(found.groupdict()))
    raise CheckpointError(
        f"no counterpart for the parameter {key!r}",
        "the names of PFNet, such as 'fc_RT.0.0.0.weight' or 'branches.RGB_TI.embed.0...'",
        "check that the checkpoint is of PFNet and not of another method",
    )


def _completed(values: dict[str, str]) -> dict[str, str]:
    """What was read from one name, with what the other name needs."""
    if "modality" in values:
        values["number"] = str(MODALITIES.index(values["modality"]))
    elif "number" in values:
        values["modality"] = MODALITIES[int(values["number"])]
    if "branch" not in values:
        by_letters = {letters: branch for branch, letters in _LETTERS.items()}
        if "index" in values:
            values["branch"] = _BRANCHES[int(values["index"])]
        elif "letters" in values:
            values["branch"] = by_letters[values["letters"]]
    if "branch" in values:
        values["index"] = str(_BRANCHES.index(values["branch"]))
        values["letters"] = _LETTERS[values["branch"]]
    return values
