"""The shared losses against plain loops, the authors' numbers, and their promises."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from baselines.shared.losses import CenterLoss, batch_hard_triplet, hetero_center
from harness.spec.modality import MODALITIES

LOSSES = Path(__file__).parents[3].parent / "shared" / "golden" / "losses.npz"
CASES = ["blocks_2x4", "blocks_3x4", "blocks_4x4", "blocks_8x1"]


@pytest.fixture(scope="module")
def numbers() -> dict[str, np.ndarray]:
    if not LOSSES.is_file():
        pytest.skip(f"the golden numbers are not at {LOSSES}")
    with np.load(LOSSES) as file:
        return {k: file[k] for k in file.files}


def drawn(n: int, width: int = 5, seed: int = 0) -> Tensor:
    return torch.randn(n, width, generator=torch.Generator().manual_seed(seed)).double()


def triplet_by_loop(x: Tensor, pids: list[int], margin: float | None, valid: list[bool]) -> float:
    """The definition, one anchor after another."""
    taking = [i for i, v in enumerate(valid) if v]
    total = 0.0
    for a in taking:
        far = max(float((x[a] - x[p]).norm()) for p in taking if pids[p] == pids[a])
        others = [float((x[a] - x[n]).norm()) for n in taking if pids[n] != pids[a]]
        if not others:
            continue
        gap = far - min(others)
        total += np.log1p(np.exp(gap)) if margin is None else max(0.0, gap + margin)
    return total / max(1, len(taking))


def hetero_by_loop(features: list[Tensor], pids: list[int], margin: float) -> float:
    """The definition, one identity after another."""
    total = 0.0
    for pid in set(pids):
        rows = [i for i, p in enumerate(pids) if p == pid]
        centres = [f[rows].mean(0) for f in features]
        for a, b in combinations(centres, 2):
            total += max(0.0, float((a - b).pow(2).sum()) - margin)
    return total


batches = st.lists(st.integers(0, 3), min_size=1, max_size=9)


@settings(deadline=None, max_examples=60)
@given(batches, st.sampled_from([None, 0.0, 0.3, 2.0]), st.integers(0, 99), st.data())
def test_triplet_equals_a_plain_loop(
    pids: list[int], margin: float | None, seed: int, data: st.DataObject
) -> None:
    n = len(pids)
    valid = data.draw(st.lists(st.booleans(), min_size=n, max_size=n))
    x = drawn(n, seed=seed)
    got = batch_hard_triplet(x, torch.tensor(pids), margin, torch.tensor(valid))
    assert float(got) == pytest.approx(triplet_by_loop(x, pids, margin, valid), abs=1e-9)
    whole = batch_hard_triplet(x, torch.tensor(pids), margin)
    assert float(whole) == pytest.approx(triplet_by_loop(x, pids, margin, [True] * n), abs=1e-9)


@settings(deadline=None, max_examples=60)
@given(batches, st.integers(1, 3), st.sampled_from([0.0, 1.0]), st.integers(0, 99))
def test_hetero_center_equals_a_plain_loop(
    pids: list[int], count: int, margin: float, seed: int
) -> None:
    features = [drawn(len(pids), seed=seed + i) for i in range(count)]
    by_modality = dict(zip(MODALITIES, features, strict=False))
    got = hetero_center(by_modality, torch.tensor(pids), margin)
    assert float(got) == pytest.approx(hetero_by_loop(features, pids, margin), abs=1e-9)


@pytest.mark.parametrize("kind", ["unit", "raw"])
@pytest.mark.parametrize("case", CASES)
def test_agree_with_the_authors(numbers: dict[str, np.ndarray], case: str, kind: str) -> None:
    leaves = torch.from_numpy(numbers[f"m3.{case}.{kind}.feats"]).requires_grad_()
    pids = torch.from_numpy(numbers[f"m3.{case}.{kind}.labels"])
    red, near, thermal = leaves
    pairs = [(red, near), (red, thermal), (near, thermal)]
    got = [hetero_center({"RGB": a, "NI": b}, pids).item() for a, b in pairs]
    np.testing.assert_allclose(got, numbers[f"hc.{case}.{kind}.l2.pairs_RN_RT_NT"], rtol=1e-12)
    total = hetero_center(dict(zip(MODALITIES, leaves, strict=True)), pids)
    (gradient,) = torch.autograd.grad(total, leaves)
    np.testing.assert_allclose(gradient, numbers[f"hc.{case}.{kind}.l2.grad_of_sum"], atol=1e-12)
    for margin in (0.3, 1.0):
        name = f"triplet.{case}.{kind}.m{margin}"
        # theirs puts 1e-6 in place of the distance of a sample to itself
        loss = batch_hard_triplet(red, pids, margin)
        assert loss.item() == pytest.approx(float(numbers[f"{name}.value"]), abs=2e-6)
        if f"{name}.grad" in numbers:
            (gradient,) = torch.autograd.grad(loss, leaves)
            np.testing.assert_allclose(gradient[0], numbers[f"{name}.grad"], atol=1e-12)


def test_gradients_are_finite_where_samples_coincide() -> None:
    x = torch.zeros(4, 3, requires_grad=True)
    pids = torch.tensor([0, 0, 1, 1])
    loss = batch_hard_triplet(x, pids) + hetero_center({"RGB": x, "NI": x}, pids)
    (gradient,) = torch.autograd.grad(loss, x)
    assert torch.isfinite(gradient).all()
    assert batch_hard_triplet(x, torch.zeros(4, dtype=torch.int64)).item() == 0


def test_half_precision_features_are_compared_in_float32() -> None:
    x = drawn(6).bfloat16()
    pids = torch.tensor([0, 0, 0, 1, 1, 1])
    with torch.autocast("cpu", torch.bfloat16):
        got = batch_hard_triplet(x, pids), hetero_center({"RGB": x, "NI": x * 2}, pids)
    want = (
        batch_hard_triplet(x.double(), pids),
        hetero_center({"RGB": x.double(), "NI": x.double() * 2}, pids),
    )
    for a, b in zip(got, want, strict=True):
        assert a.dtype == torch.float32
        assert float(a) == pytest.approx(float(b), rel=1e-5)


def test_center_loss_follows_equations_2_and_4() -> None:
    center = CenterLoss(4, 5, weight=0.25).double()
    torch.nn.init.normal_(center.centres)
    x, pids = drawn(5).requires_grad_(), torch.tensor([2, 0, 2, 2, 3])
    loss = center(x, pids)
    own = center.centres[pids].detach()
    assert loss.item() == pytest.approx(0.25 * float((x - own).pow(2).sum()) / 2 / 5)
    loss.backward()
    assert x.grad is not None and center.centres.grad is not None
    torch.testing.assert_close(x.grad, 0.25 * (x - own).detach() / 5)
    want = torch.zeros(4, 5).double()
    for j in (0, 2, 3):
        rows = pids == j
        want[j] = (center.centres[j] - x[rows]).detach().sum(0) / (1 + rows.sum())
    torch.testing.assert_close(center.centres.grad, want)


def test_centres_move_to_the_means_of_their_identities() -> None:
    center = CenterLoss(3, 5)
    optimiser = torch.optim.SGD(center.parameters(), lr=0.5)
    x, pids = drawn(6).float(), torch.tensor([0, 0, 0, 2, 2, 2])
    for _ in range(60):
        optimiser.zero_grad()
        center(x, pids).backward()
        optimiser.step()
    torch.testing.assert_close(center.centres[0], x[:3].mean(0))
    torch.testing.assert_close(center.centres[2], x[3:].mean(0))
    assert not center.centres[1].any()
