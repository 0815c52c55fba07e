"""The three modalities and the one order they always come in."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, cast, get_args

Modality = Literal["RGB", "NI", "TI"]

MODALITIES: tuple[Modality, ...] = get_args(Modality)
"""Visible, near infrared, thermal infrared, in the order used everywhere."""


def in_order(modalities: Iterable[str]) -> tuple[Modality, ...]:
    """The given modalities without repetition, in the order RGB, NI, TI."""
    wanted = set(modalities)
    unknown = wanted - set(MODALITIES)
    if unknown:
        raise ValueError(f"unknown modalities {sorted(unknown)}; known are {MODALITIES}")
    return cast(tuple[Modality, ...], tuple(m for m in MODALITIES if m in wanted))
