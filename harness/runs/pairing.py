"""Queries and galleries with different modalities, as a method compares them (its `pair`)."""

from __future__ import annotations

from collections.abc import Callable

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
    slots = (_on(device, query), _on(device, gallery))
    first, second = (f.float().cpu().numpy() for f in asked(method, model, slots, modalities))
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
    pair: Callable[..., tuple[Tensor, Tensor]] = method.pair  # type: ignore[attr-defined]
    model.eval()
    with torch.no_grad():
        query, gallery = pair(model, slots, *modalities)
    counts = [len(side) for side in slots]
    shapes = [tuple(found.shape) for found in (query, gallery)]
    plain = all(len(shape) == 2 and shape[1] for shape in shapes)
    if not plain or [s[0] for s in shapes] != counts or shapes[0][1] != shapes[1][1]:
        raise FeaturesError(
            seen=f"pair() gave shapes {shapes[0]} and {shapes[1]} for {counts[0]} queries and "
            f"{counts[1]} gallery samples",
            expected=f"({counts[0]}, e) and ({counts[1]}, e), descriptors of one length from 1",
            do="mend the method's pair(): fill the shorter side up",
        )
    if not (query.isfinite().all() and gallery.isfinite().all()):
        raise FeaturesError(
            seen="pair() gave NaN or infinite numbers",
            expected="finite numbers",
            do="mend the method's pair(): look for a division by the length of a row of zeros",
        )
    return query, gallery


def _on(device: torch.device, side: Side) -> Tensor:
    return torch.from_numpy(side.features).to(device)
