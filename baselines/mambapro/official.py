"""The parameter names of MambaPro's authors (924973292/MambaPro)."""

from __future__ import annotations

import re

from baselines.shared.clip_official import LETTERS, Official

_NAMES = dict(zip(("rgb", "nir", "tir"), LETTERS.values(), strict=True))
_HEAD = {"bottleneck": "norm", "classifier": "classifier"}
_MLPS = {"transfer": "transfer", "ffn": "beside"}
_STATE_SPACE = {
    "A_log": "decay_log",
    "D": "skip",
    "x_proj": "read",
    "dt_proj": "step",
    "out_norm": "norm",
}
_WAYS = {"f": "forth", "b": "back"}


def _prompt(found: re.Match[str]) -> str:
    return f"additions.{found[1]}.prompts.{_NAMES[found[2]]}"


def _mlp(found: re.Match[str]) -> str:
    name = _MLPS.get(found[2]) or f"guests.{LETTERS[found[2]]}"
    # Between the layers of most stands a dropout of zero.
    return f"additions.{found[1]}.{name}.{0 if found[3] == '0' else 2}.{found[4]}"


def _of_modality(found: re.Match[str]) -> str:
    part = {"in_proj": "enter", "conv2d": "near"}[found[3]]
    return f"aggregation.blocks.{found[1]}.{found[2]}.{part}.{LETTERS[found[4]]}{found[5]}"


def _state_space(found: re.Match[str]) -> str:
    sequence = LETTERS.get(found[3], "joined")
    part = f"{_WAYS[found[4]]}.{sequence}.{_STATE_SPACE[found[5]]}"
    return f"aggregation.blocks.{found[1]}.{found[2]}.{part}{found[6]}"


def _reduction(found: re.Match[str]) -> str:
    return f"aggregation.reduce.{LETTERS[found[1]]}.{found[2]}"


def _head(found: re.Match[str]) -> str:
    return f"heads.necks.each.{_HEAD[found[1]]}.{found[2]}"


_BLOCK = r"BACKBONE\.base\.transformer\.resblocks\.(\d+)\."
_MIXING = r"AAM\.ma_block\.(\d+)\.SSM_(intra|inter)\."

OFFICIAL = Official(
    method="MambaPro",
    encoder="BACKBONE.",
    rules=(
        (rf"{_BLOCK}adapter_prompt_(rgb|nir|tir)", _prompt),
        (rf"{_BLOCK}adapter_(transfer|r|n|t|ffn)\.([023])\.(\w+)", _mlp),
        (rf"{_MIXING}(in_proj|conv2d)_([rnt])([\w.]+)", _of_modality),
        (rf"{_MIXING}SSM_([rnt2])_([fb])\.({'|'.join(_STATE_SPACE)})((?:\.\w+)?)", _state_space),
        (rf"{_MIXING}out_proj\.weight", r"aggregation.blocks.\1.\2.leave.weight"),
        (r"AAM\.linear_reduction_([rnt])\.([01]\.\w+)", _reduction),
        (r"BACKBONE\.(bottleneck|classifier)\.(\w+)", _head),
    ),
)
