"""Means over stripes, cut out one by one, beside torch's own pooling."""

from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from harness.training.pooling import _one_by_one, stripe_means


@given(height=st.integers(1, 17), parts=st.integers(1, 7), seed=st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_stripes_one_by_one_are_those_of_torch(height: int, parts: int, seed: int) -> None:
    draw = torch.Generator().manual_seed(seed)
    maps = torch.randn((2, 3, height, 4), dtype=torch.float64, generator=draw)
    weights = torch.randn((2, 3, parts, 1), dtype=torch.float64, generator=draw)
    found = []
    for way in (stripe_means, _one_by_one):
        own = maps.clone().requires_grad_()
        out = way(own, parts)
        (out * weights).sum().backward()
        found += [out, own.grad]
    torch.testing.assert_close(found[2], found[0])
    torch.testing.assert_close(found[3], found[1])


def test_a_cpu_pools_as_ever() -> None:
    maps = torch.randn(2, 3, 16, 8)
    assert torch.equal(stripe_means(maps, 6), functional.adaptive_avg_pool2d(maps, (6, 1)))
