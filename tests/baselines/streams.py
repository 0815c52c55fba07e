"""What the tests of the single-modality networks share: the fill, the golden files, fake files."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from baselines.shared.public_weights import PublicNames
from baselines.shared.streams import StreamMethod, Streams
from harness.spec.method import Batch, DataInfo
from harness.spec.modality import MODALITIES, Modality
from tests.baselines.public import golden_numbers, gradient_norm, near
from tests.golden import SETTINGS, Setting, filled, inputs, stats

SMALL = SETTINGS["small"]
TALL = SMALL._replace(height=160)
"""HA-CNN takes 160 x 64 alone."""


class Case(NamedTuple):
    """One network and the golden file of its public implementation."""

    method: StreamMethod
    config: Any
    file: str
    setting: Setting
    classifiers: tuple[str, ...] = ("classifier",)


def info(setting: Setting, modalities: tuple[Modality, ...] = MODALITIES) -> DataInfo:
    """Six classes and no pretrained weights."""
    return DataInfo(setting.classes, modalities, setting.height, setting.width, "none")


def one_stream(case: Case) -> Streams:
    """The RGB stream alone in float64, filled by the public parameter names."""
    model = case.method.build(case.config, info(case.setting, ("RGB",))).double()
    names = case.method.names(case.config)
    publics = {key: public_key(key, names, case.classifiers) for key in model.state_dict()}
    known = set(publics.values())
    model.load_state_dict(
        {
            key: torch.from_numpy(filled(publics[key], tuple(value.shape), known)).to(value.dtype)
            for key, value in model.state_dict().items()
        }
    )
    return model


def public_key(key: str, names: PublicNames, classifiers: tuple[str, ...]) -> str:
    """The public name of a key of a model with the one stream RGB."""
    kind, _, rest = key.partition(".RGB.")
    if kind == "networks":
        return names.of(rest)
    number, _, leaf = rest.partition(".")
    return f"{classifiers[int(number)]}.{leaf}"


def batch_of(case: Case, modalities: tuple[Modality, ...] = ("RGB",)) -> Batch:
    """The golden images in float64, all present."""
    images = inputs(case.setting)
    n = len(case.setting.labels)
    return Batch(
        {m: images[m].double() for m in modalities},
        {m: torch.ones(n, dtype=torch.bool) for m in modalities},
        torch.tensor(case.setting.labels),
    )


def holds_against_public(case: Case) -> None:
    """Descriptor, logits, loss, gradient and running statistics equal the public network's."""
    golden = golden_numbers(case.file)
    model, batch = one_stream(case), batch_of(case)
    with torch.no_grad():
        descriptor = case.method.embed(model, batch)
    near(descriptor[:, ::16], golden["eval.descriptor"])
    near(summed(descriptor), golden["eval.stats"])

    model.train()
    seen = model(batch.images)["RGB"]
    for i, (logits, embedding) in enumerate(zip(seen.logits, seen.embeddings, strict=True)):
        near(logits, golden[f"train.logits.{i}"])
        near(summed(embedding), golden[f"train.stats.{i}"])
    running = {k: v for k, v in model.state_dict().items() if k.endswith(("_mean", "_var"))}
    near(sum(v.sum() for v in running.values()), golden["buffers.sum"])
    near(sum((v**2).sum() for v in running.values()) ** 0.5, golden["buffers.norm"])

    terms = case.method.loss(model, batch)
    assert set(terms) == {"ce_RGB"}
    near(terms["ce_RGB"], golden["loss"])
    terms["ce_RGB"].backward()
    near(gradient_norm(model), golden["grad.norm"], 1e-6)


def summed(values: Tensor) -> NDArray[Any]:
    """Sum, norm and projection, as the golden files hold them."""
    return stats({"d": values}, np.array(["d"]))


def fake_file(case: Case, path: Path, **extra: Tensor) -> dict[str, Tensor]:
    """Write a checkpoint as torchreid would, with its 1000-class classifiers; returns it."""
    net = case.method.network(case.config, info(case.setting))
    names = case.method.names(case.config)
    keys = {names.of(k): tuple(v.shape) for k, v in net.state_dict().items()}
    state = {k: torch.from_numpy(filled(k, shape, keys)) for k, shape in keys.items()}
    width = net.widths[0]
    for classifier in case.classifiers:
        state[f"{classifier}.weight"] = torch.zeros(1000, width)
        state[f"{classifier}.bias"] = torch.zeros(1000)
    state |= extra
    torch.save({"state_dict": {f"module.{k}": v for k, v in state.items()}, "epoch": 150}, path)
    return state
