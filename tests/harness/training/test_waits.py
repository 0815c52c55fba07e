"""A step waits for the device nowhere, and an epoch sends what its steps need once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from harness.data.arrays import ImageArrays, decode
from harness.data.open import open_dataset
from harness.spec.method import DataInfo
from harness.spec.modality import MODALITIES
from harness.spec.plugins import load_plugins, load_target
from harness.spec.recipe import Augmentation
from harness.spec.resolve import resolve
from harness.spec.text import CONTEXT
from harness.training.batches import Batches
from harness.training.loop import Training, take_step
from harness.training.optimiser import make_optimiser
from harness.training.sampler import identity_batches
from harness.training.steps import Steps
from harness.training.texts import Texts
from tests.harness.training.made import a_recipe
from tests.pretended import DEVICE, pretended

METHODS = sorted(load_plugins().methods)
# HA-CNN has one size, and the smallest of ResNets serves where a method lets one choose.
SMALL = ("input.height=64", "input.width=32")
STEPS = 3


def _training(method: str, folder: Path, device: torch.device) -> tuple[Training, DataInfo]:
    info = load_plugins().method(method)
    changes = [] if info.input_size else list(SMALL)
    if "top_k" in info.config.model_fields:
        # Signal's map of patches has eight in each direction at least, of which it chooses.
        changes += ["input.width=64", "config.top_k=4"]
    if "offset_factor" in info.config.model_fields:
        # IDEA's has six.
        changes.append("input.width=64")
    if "backbone" in info.config.model_fields:
        changes.append("config.backbone=resnet10t")
    data = open_dataset(None, load_plugins())
    recipe, _ = resolve(info, "smoke", data.label, "full", changes)
    size = recipe.input.height, recipe.input.width
    arrays = decode(data, *size)
    samples = data.samples("train")
    known = sorted({s.pid for s in samples})
    training = Training(
        method=load_target(info.target, info.name)(),
        recipe=recipe,
        seed=0,
        batches=Batches(arrays, recipe, device, texts=_said(arrays) if info.is_told_text else None),
        rows=arrays.rows["train"],
        labels=np.array([known.index(s.pid) for s in samples], dtype=np.int64),
        modalities=MODALITIES,
        folder=folder,
        key="key",
    )
    return training, DataInfo(len(known), MODALITIES, *size, "none")


def _said(arrays: ImageArrays) -> Texts:
    ids = np.ones((len(arrays.names), CONTEXT), np.int64)
    return Texts(dict.fromkeys(MODALITIES, ids), dict.fromkeys(MODALITIES, ids[0]))


@pytest.mark.parametrize("method", METHODS)
def test_a_step_waits_nowhere(method: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    info = load_plugins().method(method)
    training, about = _training(method, tmp_path, DEVICE)
    config = info.config.model_validate(training.recipe.config)
    torch.manual_seed(0)
    built = training.method.build(config, about)
    sampler = training.recipe.sampler
    plan = identity_batches(training.labels, sampler.identities, sampler.instances, 0, 0)[:STEPS]
    with pretended(monkeypatch) as waits:
        model = built.to(DEVICE).train()
        optimiser = make_optimiser(training.recipe.optimiser, model)
        steps = Steps(lambda b: take_step(training, model, optimiser, b), lambda: None, None)
        batches = training.batches.epoch(
            [training.rows[c] for c in plan],
            [training.labels[c] for c in plan],
            training.modalities,
            torch.Generator().manual_seed(0),
        )
        steps(next(batches))
        waits.clear()
        for batch in batches:
            steps(batch)
        assert dict(waits) == {}
        losses = steps.losses()
        assert sum(waits.values()) == 1, "the losses come back together"
    assert losses and np.isfinite(list(losses.values())).all()


@pytest.mark.parametrize("absent", [False, True])
def test_an_epoch_sends_its_draws_once(absent: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many steps it has: where pixels lie, shifts, flips, boxes, presence and labels."""
    pixels = np.random.default_rng(0).integers(0, 256, (9, 3, 32, 16, 3), dtype=np.uint8)
    present = np.ones((9, 3), dtype=bool)
    present[2:5, 1] = not absent
    arrays = ImageArrays(
        pixels,
        present,
        MODALITIES,
        {"train": np.arange(9)},
        tuple("abcdefghi"),
        "key",  # type: ignore[arg-type]
    )
    recipe = a_recipe().model_copy(update={"augmentation": Augmentation(pad=2, erase=0.5)})

    def made(device: torch.device, count: int) -> list[torch.Tensor]:
        plan = [np.arange(i, i + 4) for i in range(count)]
        batches = Batches(arrays, recipe, device).epoch(
            plan, plan, MODALITIES, torch.Generator().manual_seed(0)
        )
        return [torch.stack([*b.images.values()]) for b in batches]

    usual = made(torch.device("cpu"), 5)
    with pretended(monkeypatch) as waits:
        for count in (2, 5):
            found = made(DEVICE, count)
            # Beside the six the array itself, and the constants of the normalisation once.
            assert sum(waits.values()) <= 6 + 1 + 4, waits
            waits.clear()
        same = [torch.equal(a, b.held) for a, b in zip(usual, found, strict=True)]  # type: ignore[attr-defined]
    assert all(same)
