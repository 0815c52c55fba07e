"""BNNeck: what is normalised, what is frozen, what is classified."""

from __future__ import annotations

import torch
from torch.nn import functional

from baselines.shared.neck import BNNeck


def test_the_neck_normalises_without_shift_and_classifies_without_bias() -> None:
    torch.manual_seed(0)
    neck = BNNeck(6, 3)
    features = torch.randn(8, 6) * 4 + 2
    after, logits = neck(features)
    torch.testing.assert_close(after.mean(0), torch.zeros(6), atol=1e-5, rtol=0)
    torch.testing.assert_close(after.std(0, unbiased=False), torch.ones(6), atol=1e-3, rtol=0)
    torch.testing.assert_close(logits, after @ neck.classifier.weight.T)
    assert neck.classifier.bias is None


def test_the_shift_stays_zero_under_training() -> None:
    neck = BNNeck(6, 3)
    trained = [p for p in neck.parameters() if p.requires_grad]
    optimiser = torch.optim.SGD(trained, lr=1.0)
    for _ in range(3):
        _, logits = neck(torch.randn(8, 6))
        optimiser.zero_grad()
        functional.cross_entropy(logits, torch.arange(8) % 3).backward()
        optimiser.step()
    assert not neck.norm.bias.any()
    assert (neck.norm.weight != 1).any()
