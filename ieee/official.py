"""Checkpoints of the authors: reading them safely, and translating their parameter names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from harness.base.errors import CheckpointError
from harness.spec.modality import MODALITIES
from harness.training.weights import describe_misfit
from ieee.config import IEEEConfig
from ieee.model import IEEENet

_PAIRS = (
    ("backbone.body.{tail}", "backbone.{number}.{tail}"),
    ("interaction.own.conv.{tail}", "convOne.{number}.layers.0.{tail}"),
    ("interaction.own.bn.{tail}", "convOne.{number}.layers.1.{tail}"),
    ("interaction.rest.conv.{tail}", "convAvgRest.{number}.layers.0.{tail}"),
    ("interaction.rest.bn.{tail}", "convAvgRest.{number}.layers.1.{tail}"),
    ("interaction.attention.squeeze.{tail}", "CA.{number}.fc.0.{tail}"),
    ("interaction.attention.expand.{tail}", "CA.{number}.fc.2.{tail}"),
    ("reduction.conv.{tail}", "reduce_layer.{number}.layers.0.{tail}"),
    ("reduction.bn.{tail}", "reduce_layer.{number}.layers.1.{tail}"),
    ("rem.query.{tail}", "REM.{number}.conv_query.{tail}"),
    ("rem.part.{tail}", "REM.{number}.conv_part.{tail}"),
    ("rem.value.{tail}", "REM.{number}.conv_value.{tail}"),
    ("rem.gamma", "REM.{number}.param"),
    ("heads.embed.{part}.linear.{tail}", "fc_{letter}.{part}.0.{tail}"),
    ("heads.embed.{part}.bn.{tail}", "fc_{letter}.{part}.1.{tail}"),
    ("heads.classify.{part}.{tail}", "classifier_{letter}.{part}.{tail}"),
)
"""Names inside a stream, and the authors' names."""

_TOKENS = {
    "modality": "(?P<modality>RGB|NI|TI)",
    "number": "(?P<number>[012])",
    "letter": "(?P<letter>[RNT])",
    "part": r"(?P<part>\d+)",
    "tail": "(?P<tail>.+)",
}


def _pattern(template: str) -> re.Pattern[str]:
    escaped = template.replace(".", r"\.")
    return re.compile(re.sub(r"\{(\w+)\}", lambda m: _TOKENS[m[1]], escaped))


_OURS = [("streams.{modality}." + ours, official) for ours, official in _PAIRS]
_TO_OFFICIAL = [(_pattern(ours), official) for ours, official in _OURS]
_TO_OURS = [(_pattern(official), ours) for ours, official in _OURS]


def official_name(our_key: str) -> str:
    """The authors' name of one of our parameters or buffers.

    Raises:
        CheckpointError: It is no key of an IEEE network.
    """
    return _translate(our_key, _TO_OFFICIAL)


def our_name(official_key: str) -> str:
    """Our name of one of the authors' parameters or buffers, without `module.` prefix.

    Raises:
        CheckpointError: It is no key of the authors' IEEE network.
    """
    return _translate(official_key, _TO_OURS)


def is_official(state: Mapping[str, Any]) -> bool:
    """Whether a state dict, or a checkpoint that holds one, has the authors' names."""
    return any(key.startswith(("backbone.0.", "classifier_")) for key in _weights(state))


def to_our_names(state: Mapping[str, Any]) -> dict[str, Any]:
    """The authors' state dict, or the one in their checkpoint, under our names.

    Raises:
        CheckpointError: A key is none of theirs.
    """
    return {our_name(key): value for key, value in _weights(state).items()}


def load_official(state_dict: Mapping[str, Any]) -> IEEENet:
    """The network of the authors' state dict or checkpoint, with their weights, in train mode.

    Classes, stripes and which modules exist are read off the keys.

    Args:
        state_dict: Theirs, with or without the `module.` prefix, or a checkpoint that holds one.

    Raises:
        CheckpointError: Keys are missing or unexpected, or shapes do not fit.
    """
    weights = _weights(state_dict)
    config, classes = _describe(weights)
    # made without values first: drawing 110 million of them only to overwrite them takes seconds
    with torch.device("meta"):
        net = IEEENet(config, classes)
    want = {official_name(key): value for key, value in net.state_dict().items()}
    misfit = describe_misfit(want, weights)
    if misfit:
        raise CheckpointError(
            f"the weights do not fit IEEE of {classes} classes, {config.parts} stripes: {misfit}",
            "every key of the authors' network, as one of their checkpoints holds them",
            "pass a checkpoint of IEEE (not of another method of their repository), unchanged",
        )
    net.to_empty(device="cpu")
    net.load_state_dict({our_name(key): value for key, value in weights.items()})
    return net


def _describe(weights: Mapping[str, Tensor]) -> tuple[IEEEConfig, int]:
    """The config and the number of classes that the keys tell."""
    heads = [re.fullmatch(r"fc_[RNT]\.(\d+)\.0\.weight", key) for key in weights]
    classifier = weights.get("classifier_R.0.weight")
    if classifier is None or not any(heads):
        raise CheckpointError(
            "no classifier_R.0.weight and stripe heads fc_*.*.0.weight among "
            f"{len(weights)} keys{': ' + ', '.join(list(weights)[:3]) if weights else ''}",
            "a state dict of the authors' IEEE network",
            "pass a checkpoint of IEEE; ours are read by `harness evaluate` as they are",
        )
    config = IEEEConfig(
        interaction=any(key.startswith(("convOne.", "convAvgRest.")) for key in weights),
        attention=any(key.startswith("CA.") for key in weights),
        rem=any(key.startswith("REM.") for key in weights),
        parts=1 + max(int(found[1]) for found in heads if found),
    )
    return config, classifier.shape[0]


def _weights(state: Mapping[str, Any]) -> dict[str, Tensor]:
    """The state dict itself: out of its checkpoint, without DataParallel's prefix."""
    inner = state.get("state_dict")
    weights = inner if isinstance(inner, Mapping) else state
    return {key.removeprefix("module."): value for key, value in weights.items()}


def _translate(key: str, rules: list[tuple[re.Pattern[str], str]]) -> str:
    for pattern, template in rules:
        found = pattern.fullmatch(key)
        if not found:
            continue
        values = found.groupdict()
        if "modality" in values:
            index = MODALITIES.index(values["modality"])
        else:
            index = int(values["number"]) if "number" in values else "RNT".index(values["letter"])
        values |= {"modality": MODALITIES[index], "number": str(index), "letter": "RNT"[index]}
        return template.format(**values)
    raise CheckpointError(
        f"no counterpart for the parameter {key!r}",
        f"a name such as {rules[0][1].format(modality='RGB', number='0', tail='conv1.weight')!r}"
        " on the other side",
        "check that the checkpoint is of IEEE and not of another method",
    )
