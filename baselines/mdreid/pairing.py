"""Descriptors of queries and galleries that have different modalities."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from harness.spec.modality import Modality


class Slots(NamedTuple):
    """What a side shows of itself, slot by slot: the modalities whose vectors are taken."""

    own: tuple[Modality, ...]
    """Of what a modality has of its own."""
    shared: tuple[Modality, ...]
    """Of what is shared; a modality may be there twice."""


def chosen(query: Sequence[Modality], gallery: Sequence[Modality]) -> tuple[Slots, Slots]:
    """What of either side is compared; slot by slot one vector meets one other.

    What a modality has of its own is compared where both sides have it. Of the shared vectors
    each side shows all: those of common modalities meet each other, the others meet one another in
    order, and the side with fewer shows its last one again. For the four pairs that the paper
    publishes (RT to NT, RT to N, R to N, R to NT) this is what the authors' code does.

    Args:
        query: Modalities of the queries, in order.
        gallery: Those of the gallery.
    """
    common = tuple(m for m in query if m in gallery)
    alone = [[m for m in side if m not in common] for side in (query, gallery)]
    longer = max(map(len, alone))
    first, second = (
        Slots(common, (*lonely, *[side[-1]] * (longer - len(lonely)), *common))
        for side, lonely in zip((query, gallery), alone, strict=True)
    )
    return first, second


def taken(slots: Tensor, modalities: Sequence[Modality], wanted: Slots) -> Tensor:
    """The vectors of these slots side by side, (n, slots * d).

    Args:
        slots: (n, 2 * k * d): the k modalities' own vectors, then their shared ones.
        modalities: The k, in order.
        wanted: Which.
    """
    halves = slots.unflatten(1, (2, len(modalities), -1))
    rows = [(0, m) for m in wanted.own] + [(1, m) for m in wanted.shared]
    return torch.cat([halves[:, half, modalities.index(m)] for half, m in rows], 1)
