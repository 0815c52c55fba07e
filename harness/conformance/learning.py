"""Whether a method learns at all: eight identities of the embedded data, learnt by heart."""

from __future__ import annotations

import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from harness.conformance.subject import Subject
from harness.data.arrays import decode
from harness.data.open import open_dataset
from harness.scoring import score
from harness.scoring.distances import distance_matrix
from harness.scoring.labels import Labels
from harness.spec.method import DataInfo
from harness.spec.plugins import load_plugins
from harness.spec.recipe import Augmentation, Input, Optimiser, Recipe, Sampler, Schedule
from harness.training import loop
from harness.training.batches import Batches
from harness.training.features import embed
from harness.training.texts import Texts

IDENTITIES = 8
_INSTANCES = 2


class Learned(NamedTuple):
    """What came of it."""

    rank1: float
    """In percent, of the images learnt, each searched among those of the other camera."""
    before: float
    """The same of the new model."""
    steps: int
    seconds: float
    """Of training."""


def learns(subject: Subject, epochs: int = 20, lr: float = 1e-3) -> Learned:
    """Train on eight identities, without augmentation, and search the very images learnt.

    It shows that gradients mean something and that the descriptor is what was trained; nothing
    about other images. An epoch is four steps, of two images of each identity: the running
    statistics of batch normalisation need many steps to follow.

    Args:
        subject: The method, its config and image size.
        epochs: The budget.
        lr: Of Adam, for most of the parameters: where a method gives its backbone a part of the
            rate (`lr_scales`), the rest learns that much quicker.
    """
    torch.manual_seed(0)
    data = open_dataset(None, load_plugins())
    seen_by = sorted({s.camid for s in data.samples("train")})
    about = DataInfo(
        IDENTITIES,
        subject.modalities,
        subject.height,
        subject.width,
        "none",
        cameras=len(seen_by),
    )
    model = subject.method.build(subject.config, about).to(subject.device)
    recipe = _recipe(subject, epochs, lr / _usual_scale(subject, model))
    arrays = decode(data, subject.height, subject.width)
    samples = data.samples("train")
    known = sorted({s.pid for s in samples})[:IDENTITIES]
    chosen = [i for i, s in enumerate(samples) if s.pid in known]
    rows = arrays.rows["train"][chosen]
    labels = np.array([known.index(samples[i].pid) for i in chosen], dtype=np.int64)
    cameras = np.array([samples[i].camid for i in chosen], dtype=np.int64)
    camids = np.full(len(arrays.names), -1, np.int64)
    camids[arrays.rows["train"]] = [seen_by.index(s.camid) for s in samples]
    told = subject.info.is_told_cameras(subject.config)
    texts = _nothing_said(subject, len(arrays.names))
    batches = Batches(arrays, recipe, subject.device, camids, told, texts)

    def rank1() -> float:
        return _rank1(subject, model, batches, rows, Labels(labels, cameras))

    before = rank1()
    started = time.monotonic()
    with TemporaryDirectory() as folder:
        training = loop.Training(
            method=subject.method,
            recipe=recipe,
            seed=0,
            batches=batches,
            rows=rows,
            labels=labels,
            modalities=subject.modalities,
            folder=Path(folder),
            key="conformance",
        )
        own_loop = getattr(subject.method, "train", None)
        log = (own_loop or loop.train)(training, model)
    seconds = time.monotonic() - started
    return Learned(rank1(), before, sum(row["steps"] for row in log), seconds)


def _nothing_said(subject: Subject, rows: int) -> Texts | None:
    """Empty captions, for a method that is given some: it has to learn from the images."""
    if not subject.info.is_told_text:
        return None
    nothing = {m: np.array(subject.nothing_said(m), np.int64) for m in subject.modalities}
    return Texts({m: np.tile(ids, (rows, 1)) for m, ids in nothing.items()}, nothing)


def _usual_scale(subject: Subject, model: nn.Module) -> float:
    """The part of the rate at which most parameters learn."""
    hook = getattr(subject.method, "lr_scales", None)
    scales = [] if hook is None else [(scale, list(params)) for scale, params in hook(model)]
    sizes: dict[float, int] = {s: sum(p.numel() for p in params) for s, params in scales}
    sizes[1.0] = sum(p.numel() for p in model.parameters()) - sum(sizes.values())
    return max(sizes, key=lambda scale: sizes[scale])


def _recipe(subject: Subject, epochs: int, lr: float) -> Recipe:
    return Recipe(
        name="conformance",
        track="smoke",
        method=subject.info.name,
        dataset="embedded",
        protocol="full",
        epochs=epochs,
        pretrained="none",
        input=Input(height=subject.height, width=subject.width),
        sampler=Sampler(identities=IDENTITIES, instances=_INSTANCES),
        augmentation=Augmentation(flip=0.0),
        optimiser=Optimiser(name="adam", lr=lr, weight_decay=0.0),
        schedule=Schedule(kind="cosine"),
        config=subject.config.model_dump(mode="json"),
    )


def _rank1(
    subject: Subject, model: nn.Module, batches: Batches, rows: NDArray[np.int64], labels: Labels
) -> float:
    features = embed(subject.method, model, batches, rows, subject.modalities)
    distances = distance_matrix(features, features, "squared_euclidean", False)
    found = score(distances, labels, labels, "same_pid_same_cam")
    return 100 * float(found.cmc[0])
