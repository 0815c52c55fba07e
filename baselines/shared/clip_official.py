"""Checkpoints of the authors of the methods on CLIP: whose they are, and their names in ours."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from torch import Tensor

from baselines.shared.clip_heads import JOINT
from baselines.shared.clip_weights import our_name
from harness.base.errors import CheckpointError
from harness.spec.modality import MODALITIES

LETTERS = dict(zip("rnt", MODALITIES, strict=True))
"""How these authors call the modalities in names of parameters."""

# The first pattern that a key of a state dict matches says whose it is; all of them built on the
# same code, so the telling parts come before what they have in common.
_WHOSE = (
    (r"^backbone\.encoder\.", ""),
    (r"^clip_vision_encoder\.base\.", "Signal"),
    (r"^BACKBONE\.base\.visual\.", "IDEA"),
    (r"^BACKBONE\.base\..*\.adapter_", "MambaPro"),
    (r"^BACKBONE\.base\.add_image_token$", "MDReID"),
    (r"^BACKBONE\.base\.(.*\.smoe|gfmoe)\.", "MFRNet"),
    (r"^BACKBONE\.base\.class_embedding$", "DeMo"),
)


class Official(NamedTuple):
    """How the authors of a method name its parameters.

    Attributes:
        method: As people call it.
        encoder: What stands before the names of the image encoder and of the camera table.
        visual: What stands between, before those of the image encoder alone.
        rules: Patterns of their other names, and what `re.Match.expand` or a function makes of
            them; they come before the names of the encoder.
        unused: A pattern of names that have no part in the network.
    """

    method: str
    encoder: str
    rules: Sequence[tuple[str, Any]]
    visual: str = "base."
    unused: str = r"(?!)"

    def ours(self, state: Mapping[str, Any]) -> dict[str, Tensor]:
        """A state dict under our names; one that is ours already is returned as it is.

        Args:
            state: Theirs or ours, with or without `module.`, or a checkpoint that holds one.

        Raises:
            CheckpointError: It is another method's, or a name in it is not known.
        """
        weights = state_dict_of(state)
        whose = _whose(weights)
        if whose == "":
            return weights
        if whose != self.method:
            first = next(iter(weights), "nothing")
            raise CheckpointError(
                f"this checkpoint is {whose}'s, not {self.method}'s"
                if whose
                else f"these {len(weights)} parameters, such as {first!r}, are not {self.method}'s",
                f"a checkpoint of {self.method} by its authors' code, with its image encoder "
                f"under {self.encoder}{self.visual}, or one of ours",
                "pass the checkpoint of this method, or the method of this checkpoint "
                "(--method NAME)",
            )
        return dict(
            self._renamed(key, value)
            for key, value in weights.items()
            if not re.fullmatch(self.unused, key)
        )

    def _renamed(self, key: str, value: Tensor) -> tuple[str, Tensor]:
        ours = _by_rule(key, self.rules)
        if ours is not None:
            return ours, value
        inside = f"{self.encoder}{self.visual}"
        if key.startswith(inside):
            return f"backbone.encoder.{our_name(key.removeprefix(inside))}", value
        if key == f"{self.encoder}cv_embed":
            return "backbone.camera_embedding", value.flatten(1)
        ours = _by_rule(key, _HEADS)
        if ours is not None:
            return ours, value
        raise CheckpointError(
            f"no counterpart for the parameter {key!r} of {self.method}",
            "the names of the authors' public code, as it is today",
            "pass a checkpoint of that code; names of an earlier version are not known here",
        )


def _by_rule(key: str, rules: Sequence[tuple[str, Any]]) -> str | None:
    """What the first rule whose pattern is the whole key makes of it."""
    for pattern, template in rules:
        found = re.fullmatch(pattern, key)
        if found:
            return str(template(found)) if callable(template) else found.expand(template)
    return None


def _neck(found: re.Match[str]) -> str:
    part = {"bottleneck": "norm", "classifier": "classifier"}[found["part"]]
    name = found["name"] or ""
    return f"heads.necks.{LETTERS.get(name, name) or JOINT}.{part}.{found['tail']}"


_HEADS = ((r"(?P<part>bottleneck|classifier)(?:_(?P<name>\w+))?\.(?P<tail>\w+)", _neck),)


def state_dict_of(state: Mapping[str, Any]) -> dict[str, Tensor]:
    """The state dict itself: out of its checkpoint, without DataParallel's prefix."""
    inner = state.get("state_dict")
    weights = inner if isinstance(inner, Mapping) else state
    return {key.removeprefix("module."): value for key, value in weights.items()}


def _whose(weights: Mapping[str, Any]) -> str | None:
    """The method of a state dict; empty for one of ours, None where nothing tells."""
    for pattern, method in _WHOSE:
        if any(re.search(pattern, key) for key in weights):
            return method
    return None
