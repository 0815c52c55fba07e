"""The parameter names of MFRNet's authors (stone96123/MFRNet)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from baselines.mfrnet.generation import pair_name
from baselines.shared.clip_official import LETTERS, Official, state_dict_of

_LAYERS = {"smoe": "adapter", "gfmoe": "generation.layers.one", "gfmoe_2": "generation.layers.two"}
_PARTS = {
    "gates.0.cosine_projector": "gate.projector",
    "gates.0.sim_matrix": "gate.directions",
    "gates.0.temperature": "gate.temperature",
    "experts.conv_A": "experts.0.first",
    "experts.conv_B": "experts.0.second",
    "experts.conv_1": "experts.0.first",
    "experts.conv_2": "experts.0.second",
}
_NAMES = dict(zip(("rgb", "nir", "tir"), LETTERS.values(), strict=True))


def _layer(found: re.Match[str]) -> str:
    return f"{_LAYERS[found['layer']]}.{_PARTS[found['part']]}{found['tail']}"


def _weight(found: re.Match[str]) -> str:
    source, target = (LETTERS[found[i].lower()] for i in (1, 2))
    return f"generation.weights.{pair_name(source, target)}.{found[3]}"


def _reduction(found: re.Match[str]) -> str:
    return f"reduce.{_NAMES[found[1]]}.{found[2]}"


_PART = rf"(?P<part>{'|'.join(map(re.escape, _PARTS))})(?P<tail>(?:\.(?:weight|bias))?)"
_IN_BLOCK = r"\.resblocks\.(\d+)\.smoe\."
_BASE = r"BACKBONE\.base\."

_OFFICIAL = Official(
    method="MFRNet",
    encoder="BACKBONE.",
    rules=(
        (rf"{_BASE}transformer\.resblocks\.\d+\.(?P<layer>smoe)\.{_PART}", _layer),
        (rf"{_BASE}(?P<layer>gfmoe|gfmoe_2)\.{_PART}", _layer),
        (rf"{_BASE}glw_([RNT])([RNT])\.0\.lw\.(\w+)", _weight),
        (r"(rgb|nir|tir)_reduce\.([01]\.\w+)", _reduction),
    ),
    # Experts of blocks that do not ask them, and a number that the layer of experts keeps.
    unused=r".*\._num_global_experts",
)


def ours(state: Mapping[str, Any]) -> dict[str, Tensor]:
    """A state dict in our names and shapes: theirs translated, ours as it is.

    Experts stand in every block of theirs, and only the last one's are asked: those of the others
    are left out.

    Raises:
        CheckpointError: It is neither.
    """
    weights = state_dict_of(state)
    blocks = [int(found[1]) for k in weights if (found := re.search(_IN_BLOCK, k))]
    idle = rf"\.resblocks\.(?!{max(blocks, default=0)}\.)\d+\.smoe\."
    asked = {k: v for k, v in weights.items() if not re.search(idle, k)}
    # Theirs are convolutions of one pixel.
    return {
        k: v[..., 0] if ".experts." in k and v.ndim == 3 else v
        for k, v in _OFFICIAL.ours(asked).items()
    }
