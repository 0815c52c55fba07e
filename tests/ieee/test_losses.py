"""3M by identity, in any order and number, and the summed cross-entropy."""

from __future__ import annotations

from itertools import combinations
from typing import Any, Literal

import numpy as np
import pytest
import torch
from torch import Tensor

from ieee.losses import multi_modal_margin, summed_cross_entropy

# Cases whose identities come in blocks that the authors' chunks meet; the others are wrong there.
GROUPED = ("blocks_2x4", "blocks_3x4", "blocks_4x4", "blocks_8x1", "odd_4_3", "single_id_6")
Distance = Literal["squared", "l2"]


def features(n: int, width: int = 5, seed: int = 0, count: int = 3) -> dict[str, Tensor]:
    rng = torch.Generator().manual_seed(seed)
    names = ("RGB", "NI", "TI")[:count]
    return {m: torch.randn(n, width, dtype=torch.float64, generator=rng) for m in names}


def by_loop(by_modality: dict[str, Tensor], pids: Tensor, margin: float, squared: bool) -> float:
    """The definition, one identity after another."""
    total = 0.0
    for pid in sorted(set(pids.tolist())):
        centres = [f[pids == pid].mean(0) for f in by_modality.values()]
        distances = [float((a - b).pow(2).sum()) for a, b in combinations(centres, 2)]
        total += max(abs(margin - (d if squared else d**0.5)) for d in distances)
    return total


@pytest.mark.parametrize("kind", ["unit", "raw"])
@pytest.mark.parametrize("case", [*GROUPED, "tail_4_4_2"])
def test_agrees_with_the_authors_on_grouped_batches(golden: Any, case: str, kind: str) -> None:
    numbers = golden.numbers("losses.npz")
    name = f"m3.{case}.{kind}"
    leaves = torch.from_numpy(numbers[f"{name}.feats"]).requires_grad_()
    by_modality = dict(zip(("RGB", "NI", "TI"), leaves, strict=True))
    pids = torch.from_numpy(numbers[f"{name}.labels"])
    margins = numbers["m3.margins"]
    losses = [multi_modal_margin(by_modality, pids, float(m)) for m in margins]
    got = [float(loss.detach()) for loss in losses]
    np.testing.assert_allclose(got, numbers[f"{name}.l2.values"], rtol=1e-12)
    (gradient,) = torch.autograd.grad(losses[3], leaves)
    np.testing.assert_allclose(gradient, numbers[f"{name}.l2.grad_margin_idx3"], atol=1e-12)


@pytest.mark.parametrize("distance", ["squared", "l2"])
@pytest.mark.parametrize(
    "labels", [[0, 1, 0, 1, 0, 1], [5, 5, 5, 9, 9, 2], [1, 2, 3, 4], [7, 7, 7, 7, 1]]
)
@pytest.mark.parametrize("count", [2, 3])
def test_equals_a_plain_loop(labels: list[int], distance: Distance, count: int) -> None:
    pids = torch.tensor(labels)
    by_modality = features(len(labels), count=count)
    got = multi_modal_margin(by_modality, pids, 1.5, distance)
    assert float(got) == pytest.approx(by_loop(by_modality, pids, 1.5, distance == "squared"))


def test_differs_from_the_authors_chunks_on_interleaved_batches(golden: Any) -> None:
    numbers = golden.numbers("losses.npz")
    feats = torch.from_numpy(numbers["m3.interleaved_2x4.unit.feats"])
    by_modality = dict(zip(("RGB", "NI", "TI"), feats, strict=True))
    pids = torch.from_numpy(numbers["m3.interleaved_2x4.unit.labels"])
    got = float(multi_modal_margin(by_modality, pids, 1.0))
    assert got == pytest.approx(by_loop(by_modality, pids, 1.0, squared=True))
    assert got != pytest.approx(numbers["m3.interleaved_2x4.unit.l2.values"][3])


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("distance", ["squared", "l2"])
def test_order_of_samples_and_names_of_identities_do_not_matter(
    seed: int, distance: Distance
) -> None:
    pids = torch.randint(4, (12,), generator=torch.Generator().manual_seed(seed))
    order = torch.randperm(12, generator=torch.Generator().manual_seed(seed + 100))
    by_modality = features(12, seed=seed)
    moved = {m: f[order] for m, f in by_modality.items()}
    want = multi_modal_margin(by_modality, pids, 1.0, distance)
    got = multi_modal_margin(moved, 50 - 7 * pids[order], 1.0, distance)
    torch.testing.assert_close(got, want)


@pytest.mark.parametrize("distance", ["squared", "l2"])
def test_gradient_is_finite_where_centres_coincide(distance: Distance) -> None:
    leaf = features(4)["RGB"].requires_grad_()
    loss = multi_modal_margin({"RGB": leaf, "NI": leaf.detach().clone()}, torch.arange(4), 1.0)
    loss = loss + multi_modal_margin(
        {"RGB": leaf, "NI": leaf.detach().clone()}, torch.zeros(4), 1.0, distance
    )
    loss.backward()
    assert leaf.grad is not None
    assert torch.isfinite(leaf.grad).all()


def test_one_modality_has_no_pair() -> None:
    assert float(multi_modal_margin(features(4, count=1), torch.arange(4), 1.0)) == 0


def test_half_precision_features_are_compared_in_float32() -> None:
    by_modality = features(6)
    half = {m: f.bfloat16() for m, f in by_modality.items()}
    with torch.autocast("cpu", torch.bfloat16):
        got = multi_modal_margin(half, torch.tensor([0, 0, 0, 1, 1, 1]), 1.0)
    assert got.dtype == torch.float32
    rounded = {m: f.double() for m, f in half.items()}
    want = multi_modal_margin(rounded, torch.tensor([0, 0, 0, 1, 1, 1]), 1.0)
    assert float(got) == pytest.approx(float(want), rel=1e-5)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_cross_entropy_is_summed_over_stripes_and_modalities(smoothing: float) -> None:
    rng = torch.Generator().manual_seed(1)
    logits = {m: torch.randn(6, 4, 9, generator=rng).double() for m in ("RGB", "NI", "TI")}
    pids = torch.tensor([3, 3, 8, 0])
    target = torch.full((4, 9), smoothing / 9, dtype=torch.float64)
    target[torch.arange(4), pids] += 1 - smoothing
    want = sum(
        -(target * torch.log_softmax(stripe, 1)).sum(1).mean()
        for stripes in logits.values()
        for stripe in stripes
    )
    torch.testing.assert_close(summed_cross_entropy(logits, pids, smoothing), want)


def test_cross_entropy_agrees_with_the_authors(golden: Any) -> None:
    numbers = golden.numbers("losses.npz")
    for name in [k.removesuffix(".logits_recipe") for k in numbers if "logits_recipe" in k]:
        if f"{name}.deep6_sum" not in numbers:
            continue
        seed, parts, n, classes = map(int, numbers[f"{name}.logits_recipe"])
        rng = np.random.default_rng(seed)
        logits = torch.from_numpy(3 * rng.standard_normal((parts, n, classes)))
        pids = torch.from_numpy(rng.integers(0, classes, n))
        got = float(summed_cross_entropy({"RGB": logits}, pids))
        assert got == pytest.approx(float(numbers[f"{name}.deep6_sum"]), rel=1e-12)
