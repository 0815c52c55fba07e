"""SFTS: which patches of a sample are kept, by attention and by brightness; no parameters."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce

import torch
from torch import Tensor
from torch.nn import functional

from harness.spec.modality import Modality


def spatial(attention: list[Tensor], keep: int) -> Tensor:
    """(n, patches) bool: each head's `keep` patches that most flows from to the class token."""
    rows = rolled_out(attention)
    return highest(rows, keep).any(1)


def rolled_out(attention: list[Tensor]) -> Tensor:
    """(n, heads, patches): how much of each patch reaches the class token through all blocks.

    The class token's row of the product of the blocks' matrices, the last on the left; no
    identity is added and heads are kept apart. One row times a matrix at a time, so that the
    product of matrices is never made.
    """
    with torch.autocast(attention[0].device.type, enabled=False):
        last = attention[-1]
        row = last[:, :, :1].to(torch.promote_types(last.dtype, torch.float32))
        for matrix in reversed(attention[:-1]):
            row = row @ matrix.to(row.dtype)
        return row[:, :, 0, 1:]


def frequency(images: Mapping[Modality, Tensor], patch: int, stride: int, keep: int) -> Tensor:
    """(n, patches) bool: the `keep` patches with most pixels above mid-grey in the mean image.

    The authors put the images through a wavelet transform, average over the modalities, and
    transform back, which is the mean image. A pixel counts if the mean over modalities and
    channels is above 0 after normalisation.
    """
    bright = reduce(torch.add, (x.sum(1, keepdim=True) for x in images.values())) > 0
    counts = functional.avg_pool2d(bright.float(), patch, stride, divisor_override=1)
    return highest(counts.flatten(1), keep)


def highest(values: Tensor, keep: int) -> Tensor:
    """Bool like `values`: the `keep` highest of the last axis, of equal ones the first.

    All where there are no more than `keep`. (The authors' topk takes any of equal ones.)
    """
    order = values.argsort(dim=-1, descending=True, stable=True)[..., :keep]
    return torch.zeros_like(values, dtype=torch.bool).scatter(-1, order, True)
