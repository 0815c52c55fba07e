"""The identity sampler: batches of P identities with K images each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from harness.base.errors import TrainingError
from harness.base.hashing import derive_seed


def identity_batches(
    pids: Sequence[int] | NDArray[np.int64], identities: int, instances: int, seed: int, epoch: int
) -> list[NDArray[np.int64]]:
    """One epoch of batches, the same on every machine for the same seed and epoch.

    Each identity's images are shuffled and cut into groups of `instances`; one with fewer is
    filled up by drawing with replacement. Then `identities` of them are drawn at a time, each
    giving one group, until fewer have a group left. So no group repeats in an epoch, and up to
    `identities - 1` identities keep unused groups (the authors' sampler, ieee.md section 3).

    Args:
        pids: (n,) the identity of each training image.
        identities: P, how many identities a batch holds.
        instances: K, how many images of each.

    Returns:
        Arrays of P*K indices into `pids`, grouped by identity.

    Raises:
        TrainingError: Fewer than P identities.
    """
    labels = np.asarray(pids)
    known = np.unique(labels)
    if known.size < identities:
        raise TrainingError(
            seen=f"{known.size} identities in train",
            expected=f"at least {identities}, the recipe's sampler.identities",
            do=f"--set sampler.identities={max(1, known.size)}, or train on a larger set",
        )
    draw = _Draws(derive_seed("sampler", seed, epoch))
    groups = {int(p): _groups(np.flatnonzero(labels == p), instances, draw) for p in known}
    batches = []
    while len(groups) >= identities:
        left = np.array(sorted(groups))
        chosen = left[draw.permutation(left.size)[:identities]]
        batches.append(np.concatenate([groups[int(p)].pop() for p in chosen]))
        groups = {p: g for p, g in groups.items() if g}
    return batches


def _groups(indices: NDArray[np.int64], instances: int, draw: _Draws) -> list[NDArray[np.int64]]:
    if indices.size < instances:
        extra = draw.below(indices.size, instances - indices.size)
        return [np.concatenate([indices, indices[extra]])]
    shuffled = indices[draw.permutation(indices.size)]
    whole = indices.size // instances
    return list(shuffled[: whole * instances].reshape(whole, instances))


class _Draws:
    """Shuffles made from raw bits only.

    NumPy keeps a bit generator's raw stream fixed but may change what its distributions make of
    it between versions; the order of a training must not depend on NumPy's version.
    """

    def __init__(self, seed: int) -> None:
        self._bits = np.random.PCG64(seed)

    def permutation(self, count: int) -> NDArray[np.int64]:
        return np.argsort(self._bits.random_raw(count), kind="stable")

    def below(self, bound: int, count: int) -> NDArray[np.int64]:
        # The modulo's bias is below 2**-40 for any data set that fits a disk.
        return (self._bits.random_raw(count) % np.uint64(bound)).astype(np.int64)
