"""Descriptors of samples, in eval mode, for the modalities of one side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from harness.base.accelerator import named
from harness.base.errors import FeaturesError
from harness.base.progress import progress
from harness.spec.method import Batch, Method
from harness.spec.modality import Modality
from harness.spec.protocol import Change
from harness.training.batches import Batches
from harness.training.mode import computing

BATCH = 32
_AS_IT_IS = Change()


def embed(
    method: Method,
    model: nn.Module,
    batches: Batches,
    rows: NDArray[np.int64],
    modalities: tuple[Modality, ...],
    names: Sequence[str] = (),
    change: Change = _AS_IT_IS,
) -> NDArray[np.float32]:
    """(n, d) float32 descriptors of the given rows, in their order.

    Computed as the recipe's mode says: `fast` under autocast, as in training.

    Args:
        method: Whose `embed` is called.
        model: Put into eval mode.
        batches: Of the data set.
        rows: (n,) of the array.
        modalities: Of the side.
        names: The n samples' names; needed where there is a change.
        change: What the protocol leaves out or corrupts.

    Raises:
        FeaturesError: The method gave something else than finite (n, d) numbers.
    """
    model.eval()
    parts = []
    with torch.no_grad(), progress("embedding", len(rows), " samples") as advance:
        for shown in _shown(batches, rows, modalities, names, change):
            count = len(shown.pids)
            with computing(batches.recipe, batches.device):
                found = method.embed(model, shown)
            if found.ndim != 2 or found.shape[0] != count:
                raise FeaturesError(
                    seen=f"embed() gave shape {tuple(found.shape)} for {count} samples",
                    expected=f"({count}, d), a descriptor for each sample",
                    do="mend the method's embed()",
                )
            parts.append(found.float().cpu().numpy())
            advance(count)
    features = np.concatenate(parts)
    if not np.isfinite(features).all():
        raise FeaturesError(
            seen=f"{int((~np.isfinite(features)).any(axis=1).sum())} descriptors with NaN or "
            "infinite numbers",
            expected="finite numbers",
            do="the training diverged: lower the learning rate",
        )
    return features


def _shown(
    batches: Batches,
    rows: NDArray[np.int64],
    modalities: tuple[Modality, ...],
    names: Sequence[str],
    change: Change,
) -> Iterator[Batch]:
    """The batches; corrupted ones a batch ahead, on the host, while an accelerator embeds."""

    def made(start: int) -> Batch:
        part = slice(start, start + BATCH)
        return batches.test(rows[part], modalities, names[part], change)

    starts = range(0, len(rows), BATCH)
    if change.corruption is None or named(batches.device) is None:
        yield from map(made, starts)
        return
    with ThreadPoolExecutor(1) as worker:
        ahead = worker.submit(made, 0)
        for start in starts[1:]:
            batch, ahead = ahead.result(), worker.submit(made, start)
            yield batch
        yield ahead.result()
