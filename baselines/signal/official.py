"""The parameter names of Signal's authors (010129/Signal)."""

from __future__ import annotations

import re

from baselines.shared.clip_official import LETTERS, Official

_SAMPLING = {"conv_offset": "offset", "proj_q": "query"}


def _sampling(found: re.Match[str]) -> str:
    return f"lam.{LETTERS[found[1]]}.{_SAMPLING[found[2]]}.{found[3]}"


def _head(found: re.Match[str]) -> str:
    part = {"bottleneck": "norm", "classifier": "classifier"}[found[1]]
    return f"heads.necks.sim.{part}.{found[2]}"


_SELECTION = {"q": "query", "k": "key", "v": "value"}


def _selection(found: re.Match[str]) -> str:
    return f"sim.selection.{_SELECTION[found[1]]}.{found[2]}"


OFFICIAL = Official(
    method="Signal",
    encoder="clip_vision_encoder.",
    rules=(
        (r"SIM\.token_selection\.W_([qkv])\.(\w+)", _selection),
        (r"SIM\.modal_interactive\.cross_attn\.(\w+|out_proj\.\w+)", r"sim.attention.\1"),
        (r"SIM\.modal_interactive\.ffn\.([02]\.\w+)", r"sim.mlp.\1"),
        (r"SIM\.modal_interactive\.(norm[12]\.\w+)", r"sim.\1"),
        (r"AlignM\.contra_temp", "temperature"),
        (r"AlignM\.DAS_([rnt])\.(conv_offset|proj_q)\.([\w.]+)", _sampling),
        (r"(bottleneck|classifier)_var\.(\w+)", _head),
    ),
)
