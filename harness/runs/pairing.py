"""Queries and galleries with different modalities, as a method compares them (its `pair`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from harness.base.errors import FeaturesError
from harness.evidence.features_file import Side
from harness.spec.method import Method
from harness.spec.modality import Modality

Modalities = tuple[Modality, ...]


def pairs(method: Method, query: Modalities, gallery: Modalities) -> bool:
    """Whether descriptors of these two sides go through the method's `pair`."""
    return query != gallery and hasattr(method, "pair")


def paired(
    method: Method,
    model: nn.Module,
    sides: tuple[Side, Side],
    modalities: tuple[Modalities, Modalities],
    device: torch.device,
) -> tuple[Side, Side]:
    """Both sides as they are compared; as they were where the method has nothing to say of it.

    Args:
        method: Whose `pair` is asked, if it has one.
        model: Put into eval mode.
        sides: Query and gallery, as `embed` described them.
        modalities: What the method was shown of each.
        device: Of the model.

    Raises:
        FeaturesError: As `asked`.
    """
    if not pairs(method, *modalities):
        return sides
    query, gallery = sides
    # Copies: the same descriptors may serve other protocols, whatever `pair` does with these.
    slots = tuple(torch.tensor(side.features, device=device) for side in sides)
    found = asked(method, model, (slots[0], slots[1]), modalities)
    # In one order in memory, as it is read from the file: sums depend on it in their last bits.
    first, second = (np.ascontiguousarray(f.float().cpu().numpy()) for f in found)
    return query._replace(features=first), gallery._replace(features=second)


def asked(
    method: Method,
    model: nn.Module,
    slots: tuple[Tensor, Tensor],
    modalities: tuple[Modalities, Modalities],
) -> tuple[Tensor, Tensor]:
    """What the method's `pair` says of descriptors (q, d) and (g, d): (q, e) and (g, e).

    Raises:
        FeaturesError: It gave something else, or numbers that are not finite.
    """
    pair: Callable[..., Any] = method.pair  # type: ignore[attr-defined]
    model.eval()
    with torch.no_grad():
        found = pair(model, slots, *modalities)
    counts = [len(side) for side in slots]
    if not _fit(found, counts):
        raise FeaturesError(
            seen=f"pair() gave {_described(found)} for {counts[0]} queries and {counts[1]} gallery "
            "samples",
            expected=f"({counts[0]}, e) and ({counts[1]}, e), descriptors of one length from 1",
            do="mend the method's pair(): fill the shorter side up",
        )
    query, gallery = found
    if not (query.isfinite().all() and gallery.isfinite().all()):
        raise FeaturesError(
            seen="pair() gave NaN or infinite numbers",
            expected="finite numbers",
            do="mend the method's pair(): look for a division by the length of a row of zeros",
        )
    return query, gallery


def _fit(found: Any, counts: list[int]) -> bool:
    if not (isinstance(found, tuple) and all(isinstance(part, Tensor) for part in found)):
        return False
    shapes = [tuple(part.shape) for part in found]
    width = shapes[0][-1] if shapes and shapes[0] else 0
    return width > 0 and shapes == [(count, width) for count in counts]


def _described(found: Any) -> str:
    parts = found if isinstance(found, tuple) else (found,)
    words = (tuple(p.shape) if isinstance(p, Tensor) else type(p).__name__ for p in parts)
    return " and ".join(map(str, words))
