"""A batch to show a method, where its images do not matter."""

from __future__ import annotations

import torch

from harness.spec.method import Batch
from harness.spec.modality import MODALITIES, Modality


def batch(modalities: tuple[Modality, ...] = MODALITIES, n: int = 4, seed: int = 1) -> Batch:
    """n samples of 64 x 32 with all their images, random; two of each identity, from 0 up."""
    draw = torch.Generator().manual_seed(seed)
    images = {m: torch.randn(n, 3, 64, 32, generator=draw) for m in modalities}
    present = {m: torch.ones(n, dtype=torch.bool) for m in modalities}
    return Batch(images, present, torch.arange(n) // 2)
