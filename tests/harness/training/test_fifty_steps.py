"""Fifty steps of training in fast mode beside the same fifty in exact mode."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from harness.data.arrays import decode
from harness.data.open import open_dataset
from harness.spec.method import DataInfo, MethodInfo
from harness.spec.modality import MODALITIES
from harness.spec.plugins import load_plugins, load_target
from harness.spec.resolve import resolve
from harness.training.batches import Batches
from harness.training.loop import Training, take_step
from harness.training.mode import memory_format
from harness.training.optimiser import make_optimiser
from harness.training.sampler import identity_batches

STEPS = 50
SMALL = ["input.height=64", "input.width=32"]
# Encoders of the smoke recipes; patches enough for those that choose among them.
FINE = ["config.encoder.patch=4", "config.stride=4"]
NO_CAMERA = ["config.sie_camera=false"]


def _losses(info: MethodInfo, drawn: Path, folder: Path, changes: list[str]) -> NDArray[np.float64]:
    """(STEPS,) the sum of the loss terms at each step, from the same start and batches."""
    data = open_dataset(str(drawn), load_plugins())
    recipe, config = resolve(info, "smoke", data.label, "full", [*SMALL, *changes])
    method = load_target(info.target, info.name)()
    samples = data.samples("train")
    known = sorted({s.pid for s in samples})
    torch.manual_seed(0)
    about = DataInfo(len(known), MODALITIES, 64, 32, "none")
    model = method.build(config, about).to(memory_format=memory_format(recipe)).train()
    arrays = decode(data, 64, 32)
    labels = np.array([known.index(s.pid) for s in samples], dtype=np.int64)
    batches = Batches(arrays, recipe, torch.device("cpu"))
    rows = arrays.rows["train"]
    training = Training(method, recipe, 0, batches, rows, labels, MODALITIES, folder, "key")
    optimiser = make_optimiser(recipe.optimiser, model)
    sampler, found, epoch = recipe.sampler, list[float](), 0
    draw = torch.Generator().manual_seed(0)
    while len(found) < STEPS:
        plan = identity_batches(labels, sampler.identities, sampler.instances, 0, epoch)
        chosen = [labels[c] for c in plan]
        for batch in batches.epoch([rows[c] for c in plan], chosen, MODALITIES, draw):
            terms = take_step(training, model, optimiser, batch)
            found.append(sum(float(t) for t in terms.values()))
        epoch += 1
    return np.array(found[:STEPS])


def _hold(
    info: MethodInfo, drawn: Path, folder: Path, changes: list[str], bounds: tuple[float, float]
) -> None:
    exact = _losses(info, drawn, folder, changes)
    assert exact[-10:].mean() < 0.9 * exact[:10].mean(), "it learns, so that there is a difference"
    for words, bound in zip(([], ["precision=float32"]), bounds, strict=True):
        fast = _losses(info, drawn, folder, [*changes, "mode=fast", *words])
        apart = np.abs(fast / exact - 1)
        assert apart.max() < bound, (words, apart.max(), apart.argmax())
        # Float32 may come to the same bits, bf16 cannot.
        assert words or apart.max() > 0


def test_the_readmes_method_learns_the_same(tiny: Path, drawn: Path, tmp_path: Path) -> None:
    """Every loss of the fifty, as a part of itself.

    bf16 has 8 bits, so that a number is off by up to 0.4 %; measured 1.0 %, where the loss has
    fallen to a twentieth. In float32 only the order of sums differs, 1e-7 at first, which training
    makes larger; measured 0.03 %.
    """
    _hold(load_plugins([tiny]).method("tiny"), drawn, tmp_path, [], (0.05, 0.005))


@pytest.mark.slow
def test_ieee_learns_the_same(drawn: Path, tmp_path: Path) -> None:
    """Measured 2.8 % with bf16 and 3.3 % in float32, where 0.9 % and 0.6 % are the medians.

    Batch normalisation of eight images makes any difference larger, whatever it comes from.
    """
    changes = ["config.backbone=resnet10t", "optimiser.lr=0.001"]
    _hold(load_plugins().method("ieee"), drawn, tmp_path, changes, (0.1, 0.1))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("method", "changes"),
    [
        ("top-reid", NO_CAMERA),
        ("editor", NO_CAMERA),
        ("signal", [*NO_CAMERA, *FINE]),
        ("mdreid", []),
        ("demo", [*NO_CAMERA, "optimiser.lr=0.0001"]),
        ("mfrnet", ["optimiser.lr=0.0001"]),
        ("mambapro", [*NO_CAMERA, "optimiser.lr=0.00005"]),
        ("idea", ["optimiser.lr=0.0001", *FINE]),
    ],
)
def test_a_transformer_learns_the_same(
    method: str, changes: list[str], drawn: Path, tmp_path: Path
) -> None:
    """Measured with bf16, in the order above: 2.8, 5.4, 3.3, 6.0, 1.1, 8.3, 0.2 and 0.6 %; in
    float32 less than 0.05 %.

    Where a rate is given, that of the smoke recipe takes leaps, after which two trainings that
    differ in anything are elsewhere: single losses of DeMo, MFRNet, MambaPro and IDEA are then up
    to 30, 19, 187 and 15 % apart, and at the median 2.0, 2.5, 3.2 and 0.8 %.
    """
    _hold(load_plugins().method(method), drawn, tmp_path, changes, (0.1, 0.005))
