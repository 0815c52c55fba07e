"""Descriptors of samples, in eval mode, for the modalities of one side."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from harness.base.errors import FeaturesError
from harness.base.progress import progress
from harness.spec.method import Method
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
        for start in range(0, len(rows), BATCH):
            chosen = rows[start : start + BATCH]
            shown = batches.test(chosen, modalities, names[start : start + BATCH], change)
            with computing(batches.recipe, batches.device):
                found = method.embed(model, shown)
            if found.ndim != 2 or found.shape[0] != len(chosen):
                raise FeaturesError(
                    seen=f"embed() gave shape {tuple(found.shape)} for {len(chosen)} samples",
                    expected=f"({len(chosen)}, d), a descriptor for each sample",
                    do="mend the method's embed()",
                )
            parts.append(found.float().cpu().numpy())
            advance(len(chosen))
    features = np.concatenate(parts)
    if not np.isfinite(features).all():
        raise FeaturesError(
            seen=f"{int((~np.isfinite(features)).any(axis=1).sum())} descriptors with NaN or "
            "infinite numbers",
            expected="finite numbers",
            do="the training diverged: lower the learning rate",
        )
    return features
