"""The parameter names of IDEA's authors (924973292/IDEA)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from baselines.idea.aggregation import SHARED
from baselines.shared.clip_official import LETTERS, Official
from baselines.shared.clip_weights import our_name
from harness.spec.modality import MODALITIES

_SIDES = {"v": "visual", "t": "textual"}
_SPECTRA = dict(zip(("rgb", "nir", "tir"), MODALITIES, strict=True))
_PARTS = {"bottleneck": "norm", "classifier": "classifier"}
_INVERSION = {"fc1": "0", "fc2": "3"}
_ASKING = {"q": "query", "k": "key", "v": "value", "out": "out"}


def _text(found: re.Match[str]) -> str:
    return f"text.{our_name(found[1])}"


def _inversion(found: re.Match[str]) -> str:
    return f"inversion.layers.{_INVERSION[found[1]]}.{found[2]}"


def _offset(found: re.Match[str]) -> str:
    return f"cda.offsets.{LETTERS[found[1]] if found[1] else SHARED}.{found[2]}"


def _projection(found: re.Match[str]) -> str:
    return f"cda.{_ASKING[found[1]]}.{found[2]}"


def _of_tokens(found: re.Match[str]) -> str:
    name = _SIDES[found[2]] + (f"_{_SPECTRA[found[3]]}" if found[3] else "")
    return f"heads.necks.{name}.{_PARTS[found[1]]}.{found[4]}"


_BASE = r"BACKBONE\.base\."
_OFFICIAL = Official(
    method="IDEA",
    encoder="BACKBONE.",
    visual="base.visual.",
    rules=(
        (_BASE + r"visual\.new_positional_embedding", "inversion.position"),
        (_BASE + r"text_prompt", "text.prompts"),
        (
            _BASE + r"((?:token_embedding|ln_final|transformer\.resblocks)\..*"
            r"|positional_embedding|text_projection)",
            _text,
        ),
        (r"BACKBONE\.inverseNet\.(fc1|fc2)\.(\w+)", _inversion),
        (r"CDA\.da_group\.0\.conv_offset(?:_([rnt]))?\.([024]\.\w+)", _offset),
        (r"CDA\.da_group\.0\.proj_(q|k|v|out)\.(\w+)", _projection),
        (r"bottleneck_(visual|textual)\.(\w+)", r"heads.necks.cda_\1.norm.\2"),
        (r"(visual|textual)_classifier\.(\w+)", r"heads.necks.cda_\1.classifier.\2"),
        (r"(bottleneck|classifier)_([vt])(?:_(rgb|nir|tir))?\.(\w+)", _of_tokens),
    ),
)
# CLIP's temperature, which nothing here reads.
_UNUSED = re.compile(r"(module\.)?BACKBONE\.base\.logit_scale")


def ours(state: Mapping[str, Any]) -> dict[str, Tensor]:
    """A state dict of theirs or ours in our names; see `Official.ours`."""
    inner = state.get("state_dict")
    weights = inner if isinstance(inner, Mapping) else state
    found = _OFFICIAL.ours({k: v for k, v in weights.items() if not _UNUSED.fullmatch(k)})
    # Their projections are convolutions of 1 x 1 over vectors that lie on no map.
    return {k: v.flatten(1) if _is_projection(k) else v for k, v in found.items()}


def _is_projection(key: str) -> bool:
    return re.fullmatch(r"cda\.(query|key|value|out)\.weight", key) is not None
