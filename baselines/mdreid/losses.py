"""What keeps apart what a modality has of its own and what all share."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional

from harness.spec.modality import Modality
from harness.training.numerics import full_precision

_FLAT = 1e-6
"""Added to the squared length of a row of similarities."""


def orthogonality_loss(own: Mapping[Modality, Tensor], shared: Mapping[Modality, Tensor]) -> Tensor:
    """The shared vectors of a sample are alike, and everything else is unlike (`ADD_CLOSS`).

    Not the cosines themselves are held against that: as in the authors' code, each vector is
    described by its cosines with all of them, and these descriptions are compared by their cosines.

    Args:
        own: Each (n, d), what a modality has of its own.
        shared: Each (n, d), of the same modalities.

    Returns:
        A scalar, float32 or wider.
    """
    vectors = torch.stack([*own.values(), *shared.values()], 1)
    with full_precision(vectors.device):
        vectors = vectors.to(torch.promote_types(vectors.dtype, torch.float32))
        unit = functional.normalize(vectors, dim=2)
        described = unit @ unit.mT
        lengths = (described.square().sum(2, keepdim=True) + _FLAT).sqrt()
        described = described / lengths
        found = described @ described.mT
        wanted = torch.eye(found.shape[1], dtype=found.dtype, device=found.device)
        wanted[len(own) :, len(own) :] = 1
        return (found - wanted).square().mean()


def enhancement_loss(
    own: Mapping[Modality, Tensor], shared: Mapping[Modality, Tensor], pids: Tensor
) -> Tensor:
    """All vectors together tell identities apart better than either part (`ADD_ELOSS`).

    In each of three spaces, all vectors side by side, those of the modalities' own and the shared
    ones, the farthest pair of one identity and the nearest of two: the whole space's share of the
    first distances, and what lacks its share of the second to 1. Only the whole space learns.

    Args:
        own: Each (n, d), what a modality has of its own.
        shared: Each (n, d), of the same modalities.
        pids: (n,) identities of the whole batch.

    Returns:
        A scalar, float32 or wider; a batch without a pair of either kind has none of that part.
    """
    parts = torch.cat(list(own.values()), 1), torch.cat(list(shared.values()), 1)
    with full_precision(pids.device):
        kind = torch.promote_types(parts[0].dtype, torch.float32)
        first, second = (part.to(kind) for part in parts)
        spaces = (torch.cat([first, second], 1), first.detach(), second.detach())
        same = pids[:, None] == pids[None, :]
        far = _share([_distance(space, same, farthest=True) for space in spaces])
        near = _share([_distance(space, ~same, farthest=False) for space in spaces])
        return far + torch.where(near > 0, 1 - near, 0)


def _distance(vectors: Tensor, pairs: Tensor, farthest: bool) -> Tensor:
    """The largest or smallest Euclidean distance among some pairs of rows; 0 without any."""
    n = len(vectors)
    with torch.no_grad():
        distances = torch.cdist(vectors, vectors, compute_mode="donot_use_mm_for_euclid_dist")
        outside = -torch.inf if farthest else torch.inf
        flat = distances.masked_fill(~pairs, outside).flatten()
        chosen = (flat.argmax() if farthest else flat.argmin())[None]
    # Only the chosen pair carries a gradient; with no pair at all it is a row and itself.
    difference = vectors[chosen // n] - vectors[chosen % n]
    length: Tensor = torch.linalg.vector_norm(difference)
    return length


def _share(distances: list[Tensor]) -> Tensor:
    """The first's part of the sum; 0 where all are 0."""
    total = torch.stack(distances).sum()
    return distances[0] / total.where(total > 0, 1)
