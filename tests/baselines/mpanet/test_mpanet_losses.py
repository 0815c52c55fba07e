"""The losses of MPANet against plain references, on groups of any order and size."""

from __future__ import annotations

from itertools import combinations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from baselines.mpanet.losses import centre_cluster, mutual_mean, separation


def plain_centre_cluster(features: Tensor, pids: Tensor, margin: float) -> Tensor:
    """The loss as the paper words it: over images, then over pairs of identities."""
    centres = {int(p): features[pids == p].mean(0) for p in pids.unique()}
    pull = sum((f - centres[int(p)]).norm() for f, p in zip(features, pids, strict=True))
    gaps = [
        (margin - (centres[a] - centres[b]).norm()).clamp(min=0)
        for a, b in combinations(centres, 2)
    ]
    return pull / len(pids) + (sum(gaps) / len(gaps) if gaps else 0)


def plain_separation(maps: Tensor) -> Tensor:
    patterns = maps.shape[1]
    pairs = list(combinations(range(patterns), 2))
    found = [(image[a] * image[b]).sum() for image in maps for a, b in pairs]
    return torch.stack(found).mean()


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(0, 4), min_size=1, max_size=9), st.integers(0, 99))
def test_centre_cluster_by_identity_in_any_order_and_number(pids: list[int], seed: int) -> None:
    draw = torch.Generator().manual_seed(seed)
    features = 0.3 * torch.randn(len(pids), 4, generator=draw, dtype=torch.float64)
    found = centre_cluster(features, torch.tensor(pids), 0.7)
    torch.testing.assert_close(found, plain_centre_cluster(features, torch.tensor(pids), 0.7))


def test_centre_cluster_pulls_images_and_pushes_near_centres() -> None:
    features = torch.randn(8, 3, dtype=torch.float64).mul(0.2).requires_grad_()
    pids = torch.tensor([0, 0, 1, 1, 0, 0, 1, 1])
    assert torch.autograd.gradcheck(lambda f: centre_cluster(f, pids, 5.0), (features,))
    far = torch.tensor([[0.0, 0.0], [0.0, 0.0], [9.0, 0.0], [9.0, 0.0]])
    assert float(centre_cluster(far, pids[:4], 0.7)) == 0


@pytest.mark.parametrize("pids", [[0], [0, 0], [0, 1]])
def test_centre_cluster_has_finite_gradients_where_everything_coincides(pids: list[int]) -> None:
    features = torch.zeros(len(pids), 3, requires_grad=True)
    loss = centre_cluster(features, torch.tensor(pids), 0.7)
    loss.backward()  # type: ignore[no-untyped-call]
    assert torch.isfinite(loss)
    assert features.grad is not None and torch.isfinite(features.grad).all()


def test_centre_cluster_in_half_precision_is_computed_in_float32() -> None:
    features = torch.randn(6, 8).bfloat16()
    pids = torch.tensor([0, 0, 0, 1, 1, 1])
    with torch.autocast("cpu", torch.bfloat16):
        found = centre_cluster(features, pids, 0.7)
    assert found.dtype == torch.float32
    want = plain_centre_cluster(features.double(), pids, 0.7)
    assert float(found) == pytest.approx(float(want), rel=1e-5)


@pytest.mark.parametrize("patterns", [2, 3, 6])
def test_separation_against_pairs_of_maps(patterns: int) -> None:
    maps = torch.rand(3, patterns, 4, 2, dtype=torch.float64)
    torch.testing.assert_close(separation(maps), plain_separation(maps))


def test_separation_is_zero_for_maps_that_do_not_meet_and_for_one_map() -> None:
    maps = torch.zeros(2, 2, 4, 2)
    maps[:, 0, :2], maps[:, 1, 2:] = 1, 1
    assert float(separation(maps)) == 0
    assert float(separation(torch.ones(2, 1, 4, 2))) == 0


def test_mutual_mean_is_the_mean_divergence_from_each_other_classifier() -> None:
    draw = torch.Generator().manual_seed(3)
    sizes = {"RGB": 3, "NI": 2, "TI": 4}
    own = {m: torch.randn(n, 5, generator=draw).double() for m, n in sizes.items()}
    others = {m: torch.randn(n, 2, 5, generator=draw).double() for m, n in sizes.items()}
    plain = []
    for modality, logits in own.items():
        for other in others[modality].unbind(1):
            for p, q in zip(logits.softmax(1), other.softmax(1), strict=True):
                plain.append((p * (p / q).log()).sum())
    torch.testing.assert_close(mutual_mean(own, others), torch.stack(plain).mean())  # type: ignore[arg-type]


def test_mutual_mean_is_zero_where_classifiers_agree() -> None:
    logits = torch.randn(4, 5)
    found = mutual_mean(
        {"RGB": logits, "TI": logits}, {"RGB": logits[:, None], "TI": logits[:, None]}
    )
    assert float(found) == pytest.approx(0, abs=1e-6)
