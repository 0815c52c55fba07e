"""The heterogeneity-collaboration loss: the class scores of the modalities should agree."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from harness.training.numerics import full_precision


def collaboration(scores: Mapping[Any, Tensor]) -> Tensor:
    """n less the sum, over samples and classes, of the product of the normalised score vectors.

    The authors' code has two modalities, where a sample's part is 1 minus the cosine of its two
    score vectors, and the constant 32 for the batch size. Here any number of modalities is
    multiplied, and n is the batch's own.

    Args:
        scores: By modality, each (n, classes), before softmax.

    Returns:
        A scalar, float32 or wider; 0 with a single modality, which has nothing to agree with.
    """
    first = next(iter(scores.values()))
    with full_precision(first.device):
        dtype = torch.promote_types(first.dtype, torch.float32)
        if len(scores) < 2:
            return first.new_zeros((), dtype=dtype)
        units = [functional.normalize(s.to(dtype)) for s in scores.values()]
        return len(first) - reduce(torch.mul, units).sum()
