"""What methods share: images as items, one descriptor from any modality, eval mode, wrappers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from harness.spec.method import Batch
from harness.spec.modality import Modality, in_order

_Net = TypeVar("_Net", bound=nn.Module)


class Items(NamedTuple):
    """The images of a batch, each an item of its own; those of absent modalities are gone."""

    images: dict[Modality, Tensor]
    """Each (n_m, 3, height, width), at least one."""
    rows: dict[Modality, Tensor]
    """Each (n_m,) int64: which sample of the batch an image shows."""
    pids: Tensor
    """(N,) labels, N the sum of the n_m: modality after modality, in the order of `images`."""


def items_of(batch: Batch) -> Items:
    """The images that are there. Grey stand-ins of absent ones would move batch statistics.

    Args:
        batch: Of training; two modalities of n samples give up to 2n items.
    """
    images: dict[Modality, Tensor] = {}
    rows: dict[Modality, Tensor] = {}
    there = _on_host(batch)
    for modality in in_order(batch.images):
        chosen = _places(batch.present[modality], there[modality])
        if len(chosen):
            whole = len(chosen) == len(batch.pids)
            images[modality] = batch.images[modality] if whole else batch.images[modality][chosen]
            rows[modality] = chosen
    pids = torch.cat([batch.pids[chosen] for chosen in rows.values()])
    return Items(images, rows, pids)


class Complete(NamedTuple):
    """The c samples of a batch that have every modality of it."""

    rows: Tensor
    """(c,) int64, which samples of the batch."""
    items: dict[Modality, Tensor]
    """Each (c,) int64, which of a modality's items show them."""


def complete(batch: Batch) -> Complete:
    """Where the samples that have every modality of the batch stand."""
    there = np.logical_and.reduce(list(_on_host(batch).values()))
    rows = _places(torch.stack(list(batch.present.values())).all(0), there)
    # An item's place among its modality's is how many samples before it have the modality.
    items = {m: (here.cumsum(0) - 1)[rows] for m, here in batch.present.items()}
    return Complete(rows, items)


def _on_host(batch: Batch) -> Mapping[Modality, NDArray[np.bool_]]:
    if batch.there is not None:
        return batch.there
    return {m: here.cpu().numpy() for m, here in batch.present.items()}


def incomplete(batch: Batch) -> tuple[Modality, ...]:
    """The modalities that some sample of the batch lacks."""
    return tuple(m for m, here in _on_host(batch).items() if not here.all())


def _places(here: Tensor, there: NDArray[np.bool_]) -> Tensor:
    """(k,) int64 where (n,) `here` is true, rising; `there` says the same on the host.

    Torch's `nonzero` waits for the device to say how many there are.
    """
    if there.all():
        return torch.arange(len(there), device=here.device)
    return (~here).to(torch.uint8).argsort(stable=True)[: int(there.sum())]


def by_modality(together: Tensor, images: Mapping[Modality, Tensor]) -> dict[Modality, Tensor]:
    """What was computed for all items together, (N, ...), apart again by modality."""
    parts = torch.split(together, [len(x) for x in images.values()])
    return dict(zip(images, parts, strict=True))


def mean_over_present(
    found: Mapping[Modality, Tensor], present: Mapping[Modality, Tensor]
) -> Tensor:
    """The mean over the modalities that a sample has; with one it is that one's descriptor.

    Args:
        found: By modality, each (n, ...), finite for absent images too.
        present: By modality, each (n,) bool; every sample has one at least.

    Returns:
        (n, ...), like one of `found`.
    """
    total: Tensor | None = None
    count: Tensor | None = None
    for modality, values in found.items():
        weight = present[modality].to(values.dtype).reshape(-1, *[1] * (values.ndim - 1))
        total = values * weight if total is None else total + values * weight
        count = weight if count is None else count + weight
    assert total is not None and count is not None
    return total / count


@contextmanager
def in_eval_mode(model: nn.Module) -> Iterator[None]:
    """Eval mode within; a model that was training is put back afterwards."""
    was_training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(was_training)


def unwrapped(model: nn.Module, kind: type[_Net]) -> _Net:
    """The network inside the wrappers of distributed training and torch.compile."""
    for wrapped in ("module", "_orig_mod"):
        model = getattr(model, wrapped, model)
    assert isinstance(model, kind)
    return model
