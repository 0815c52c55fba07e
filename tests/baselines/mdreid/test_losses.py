"""The losses of MDReID by plain loops, and where there is nothing to compare."""

from __future__ import annotations

import math
from itertools import permutations

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from baselines.mdreid.losses import enhancement_loss, orthogonality_loss
from harness.spec.modality import MODALITIES, Modality


def parts(n: int = 6, d: int = 5) -> tuple[dict[Modality, Tensor], dict[Modality, Tensor]]:
    torch.manual_seed(1)
    own, shared = ({m: torch.randn(n, d).double() for m in MODALITIES} for _ in range(2))
    return own, shared


def test_orthogonality_by_loops() -> None:
    own, shared = parts()
    total = 0.0
    for i in range(6):
        unit = [functional.normalize(v[i], dim=0) for v in (*own.values(), *shared.values())]
        rows = [torch.stack([a @ b for b in unit]) for a in unit]
        rows = [row / (row @ row + 1e-6).sqrt() for row in rows]
        for a in range(6):
            for b in range(6):
                wanted = 1.0 if a == b or min(a, b) >= 3 else 0.0
                total += float((rows[a] @ rows[b] - wanted) ** 2)
    assert float(orthogonality_loss(own, shared)) == pytest.approx(total / 6 / 36, abs=1e-12)


def test_enhancement_by_loops() -> None:
    own, shared = parts()
    pids = torch.tensor([0, 0, 1, 1, 2, 2])
    far, near = [], []
    for space in (parts()[0] | {f"s{m}": v for m, v in shared.items()}, own, shared):
        x = torch.cat(list(space.values()), 1)
        pairs = {(i, j): math.dist(x[i], x[j]) for i, j in permutations(range(6), 2)}
        far.append(max(v for (i, j), v in pairs.items() if pids[i] == pids[j]))
        near.append(min(v for (i, j), v in pairs.items() if pids[i] != pids[j]))
    wanted = far[0] / sum(far) + 1 - near[0] / sum(near)
    assert float(enhancement_loss(own, shared, pids)) == pytest.approx(wanted, abs=1e-12)


def test_only_the_whole_space_learns_of_the_enhancement() -> None:
    own, shared = parts()
    given = {m: v.requires_grad_() for m, v in own.items()}
    pids = torch.tensor([0, 0, 1, 1, 2, 2])
    enhancement_loss(given, shared, pids).backward()
    x = torch.cat([*own.values(), *shared.values()], 1).detach()
    whole = torch.cdist(x, x)
    same = pids[:, None] == pids
    chosen = {*divmod(int(whole.where(same, -1).argmax()), 6)}
    chosen |= {*divmod(int(whole.where(~same, torch.inf).argmin()), 6)}
    for vectors in given.values():
        assert {int(i) for i in vectors.grad.abs().sum(1).nonzero()} == chosen


@pytest.mark.parametrize("pids", [[0, 0, 0, 0, 0, 0], [0, 1, 2, 3, 4, 5]])
def test_without_a_pair_the_enhancement_has_its_other_part(pids: list[int]) -> None:
    own, shared = parts()
    given = {m: v.requires_grad_() for m, v in own.items()}
    found = enhancement_loss(given, shared, torch.tensor(pids))
    found.backward()
    assert 0 < found.item() < 1
    assert all(torch.isfinite(v.grad).all() for v in given.values())
