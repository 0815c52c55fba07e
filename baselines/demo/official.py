"""The parameter names of DeMo's authors (924973292/DeMo)."""

from __future__ import annotations

import re

from baselines.demo.decoupling import set_name
from baselines.shared.clip_official import LETTERS, Official

_NAMES = dict(zip(("rgb", "nir", "tir"), LETTERS.values(), strict=True))


def _set(letters: str) -> str:
    return set_name(tuple(LETTERS[letter] for letter in letters))


def _query(found: re.Match[str]) -> str:
    return f"hdm.queries.{_set(found[1])}"


def _attention(found: re.Match[str]) -> str:
    return f"hdm.attention.{_set(found[1])}.{found[2]}"


def _reduction(found: re.Match[str]) -> str:
    return f"pife.{_NAMES[found[1]]}.{found[2]}"


OFFICIAL = Official(
    method="DeMo",
    encoder="BACKBONE.",
    rules=(
        (r"(rgb|nir|tir)_reduce\.([01]\.\w+)", _reduction),
        (r"generalFusion\.(r?n?t?)_token", _query),
        (r"generalFusion\.(r|n|t|rn|rt|nt|rnt)\.(\w+|out_proj\.\w+)", _attention),
        (r"generalFusion\.moe\.gating_network\.gate\.linear_re\.([02]\.\w+)", r"atmoe.mix.\1"),
        (r"generalFusion\.moe\.gating_network\.gate\.q_\.weight", "atmoe.query.weight"),
        (r"generalFusion\.moe\.gating_network\.gate\.k_\.weight", "atmoe.key.weight"),
        (
            r"generalFusion\.moe\.experts\.(\d+)\.expertHead\.(\d)\.mlp\.([02]\.\w+)",
            r"atmoe.experts.\1.\2.\3",
        ),
    ),
)
