"""Strips of distances on an accelerator, through torch; what is kept of them goes to NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from harness.base.accelerator import free_bytes
from harness.base.errors import ScoringError
from harness.rerank.descriptors import Descriptors, Strip
from harness.rerank.nearest import Found, Nearest, keys_of, pieces
from harness.rerank.outcome import Outcome

if TYPE_CHECKING:
    from torch import Tensor

Matrix = NDArray[np.float32]
Ints = NDArray[np.int64]

# Half of what is free on a GPU is taken, or so much where that is not known.
_SHARE, _BUDGET = 0.5, 128 << 20

# Bytes of a distance on the device: in float64, rounded, searched for the nearest, as candidate.
_BYTES = 32

# Rows of a strip: more are no quicker, and those of queries are all copied to the host, where two
# strips wait with so many bytes at most.
_MOST, _WAITING = 4096, 1 << 30


def rows_that_fit(descriptors: Descriptors, memory_mib: int | None, device: str) -> int:
    """Rows of a strip on the device, at least 16.

    Raises:
        ScoringError: The descriptors alone would fill more than half of what is free there.
    """
    import torch

    total, width = len(descriptors.firsts), descriptors.width
    free, held = free_bytes(torch.device(device)), 8 * total * width
    if free is not None and held > free * _SHARE:
        raise ScoringError(
            f"{total} descriptors of {held / 2**30:.1f} GiB in float64, and "
            f"{free / 2**30:.1f} GiB free on {device}",
            "at most half of it",
            "re-rank on the CPU: --device cpu",
        )
    if memory_mib is not None:
        budget = memory_mib << 20
    else:
        budget = _BUDGET if free is None else int((free - held) * _SHARE)
    fit = min(budget // (_BYTES * total + 8 * width), _WAITING // (8 * total))
    return int(np.clip(fit, 16, _MOST))


def worker(descriptors: Descriptors, nearest: Nearest, device: str) -> Callable[[Strip], Outcome]:
    """A function that does on the device what `harness.rerank.strips` does on the CPU.

    The distinct descriptors lie on the device in float64. Its product may round other than the
    CPU's in the last bits, which rounding to float32 mostly hides.

    Args:
        descriptors: Of queries and gallery.
        nearest: The nearest so far.
        device: A device of torch that has float64.
    """
    import torch

    size = (len(descriptors.firsts), descriptors.width)
    rows = torch.empty(size, dtype=torch.float64, device=device)
    for part in pieces(len(rows), rows.shape[1]):
        rows[part] = torch.from_numpy(descriptors.wide(descriptors.firsts[part])).to(device)
    norms = torch.from_numpy(descriptors.norms).to(device)
    k = nearest.keys.shape[1]

    def work(strip: Strip) -> Outcome:
        limits = torch.from_numpy(nearest.limits).to(device)
        values = _values(rows, norms, strip)
        after = values[:, strip.after - strip.column :]
        bounds = torch.minimum(_smallest(values, k, 1), limits[strip.start : strip.stop])
        bounds_after = torch.minimum(_smallest(after, k, 0), limits[strip.after :])
        own, others, near = _entries(values, bounds[:, None])
        others_after, own_after, near_after = _entries(after, bounds_after)
        return Outcome(
            strip,
            Found(own + strip.start, keys_of(near, others + strip.column)),
            Found(own_after + strip.after, keys_of(near_after, others_after + strip.start)),
            values.amax(dim=1).cpu().numpy(),
            after.amax(dim=0).cpu().numpy(),
            values.cpu().numpy() if strip.stop <= descriptors.queries else None,
        )

    return work


def _values(rows: Tensor, norms: Tensor, strip: Strip) -> Tensor:
    """The strip's squared distances, as `Descriptors.values` computes them."""
    wide = (rows[strip.start : strip.stop] * -2.0) @ rows[strip.column :].T
    wide += norms[strip.start : strip.stop, None]
    wide += norms[strip.column :]
    values = wide.clamp_(min=0.0).float()
    values.diagonal(strip.start - strip.column).zero_()
    return values


def _smallest(values: Tensor, k: int, axis: int) -> Tensor:
    """The k-th smallest along an axis, or infinity where there are fewer."""
    if values.shape[axis] < k:
        return values.new_full((values.shape[1 - axis],), float("inf"))
    found: Tensor = values.topk(k, dim=axis, largest=False).values
    return found.amax(dim=axis)


def _entries(values: Tensor, bounds: Tensor) -> tuple[Ints, Ints, Matrix]:
    """Rows, columns and values of the entries that do not exceed their bound."""
    rows, columns = (values <= bounds).nonzero(as_tuple=True)
    return rows.cpu().numpy(), columns.cpu().numpy(), values[rows, columns].cpu().numpy()
