"""Golden numbers of TOP-ReID and EDITOR: their cases, and weights and inputs by the set's rules."""

from __future__ import annotations

import csv
import json
import re
import zlib
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from harness.spec.method import Batch, DataInfo, MethodInfo
from harness.spec.modality import MODALITIES, Modality
from harness.spec.plugins import load_target
from tests.golden import GOLDEN

FOLDER = GOLDEN / "methods"
LETTERS: dict[str, Modality] = {"r": "RGB", "n": "NI", "t": "TI"}
Arrays = dict[str, NDArray[Any]]
Names = Callable[[str], str]


class Made(NamedTuple):
    """A case's network with the golden weights, its method and its batch."""

    method: Any
    model: nn.Module
    batch: Batch
    want: Arrays


def cases(method: str) -> dict[str, dict[str, Any]]:
    """The cases of a method by name; none where the golden numbers are not there."""
    path = FOLDER / method / "cases.json"
    if not path.is_file():
        return {}
    return {case["case"]: case for case in json.loads(path.read_text(encoding="utf-8"))}


def require(method: str) -> None:
    if not cases(method):
        pytest.skip(f"the golden numbers are not at {FOLDER / method}")


def make(info: MethodInfo, name: str, authors_name: Names = str) -> Made:
    """Build a case.

    Args:
        authors_name: Theirs of one of our parameters, where it differs.
    """
    require(info.name)
    case = cases(info.name)[name]
    about = case["data"]
    method: Any = load_target(info.target, info.name)()
    data = DataInfo(
        about["classes"],
        MODALITIES,
        about["height"],
        about["width"],
        "none",
        cameras=about["cameras"],
    )
    model = without_values(method, info.config.model_validate(case["config"]), data)
    shapes = {authors_name(k): tuple(v.shape) for k, v in model.state_dict().items()}
    state = {k: torch.from_numpy(filled(k, shape, case["salt"])) for k, shape in shapes.items()}
    model.load_state_dict(method.import_state(state))
    dtype = torch.float64 if case["dtype"] == "f64" else torch.float32
    model.to(dtype)
    images = inputs(case["input_seed"], len(case["labels"]), case["input_noise"], about)
    present = {m: torch.ones(len(case["labels"]), dtype=torch.bool) for m in MODALITIES}
    camids = None if case["camids"] is None else torch.tensor(case["camids"])
    batch = Batch(
        {m: x.to(dtype) for m, x in images.items()}, present, torch.tensor(case["labels"]), camids
    )
    with np.load(FOLDER / info.name / case["file"]) as file:
        want = {k: file[k] for k in file.files}
    return Made(method, model, batch, want)


def without_values(method: Any, config: Any, data: DataInfo) -> nn.Module:
    """A new network whose values are not drawn: three ViTs take seconds, and are overwritten."""
    with torch.device("meta"):
        model: nn.Module = method.build(config, data)
    return model.to_empty(device="cpu")


def filled(key: str, shape: tuple[int, ...], salt: str) -> NDArray[Any]:
    """The float32 value of a parameter or buffer by its name (README of the golden methods)."""
    rng = np.random.default_rng(zlib.crc32((salt + key).encode()))
    leaf = key.rsplit(".", 1)[-1]
    if leaf == "num_batches_tracked":
        return np.zeros(shape, np.int64)
    if leaf == "running_var":
        return rng.uniform(0.5, 1.5, shape).astype(np.float32)
    normal = rng.standard_normal(shape)
    if leaf == "running_mean":
        value = 0.1 * normal
    elif "bias" in leaf:
        value = 0.05 * normal
    elif leaf == "weight" and len(shape) == 1:
        value = 1 + 0.1 * normal
    elif re.search("embed|token|prompt", key, re.IGNORECASE):
        value = 0.2 * normal
    elif len(shape) <= 1:
        value = 0.1 * normal
    else:
        value = normal / np.sqrt(np.prod(shape[1:]))
    return np.asarray(value.astype(np.float32))


def inputs(seed: int, count: int, noise: float, about: Mapping[str, Any]) -> dict[Modality, Tensor]:
    """Images of random blocks of several sizes, and noise."""
    rng = np.random.default_rng(seed)
    height, width = about["height"], about["width"]
    images: dict[Modality, Tensor] = {}
    for modality in MODALITIES:
        image = np.zeros((count, 3, height, width)) + rng.standard_normal((count, 3, 1, 1))
        for side in (64, 32, 16):
            coarse = rng.standard_normal((count, 3, -(-height // side), -(-width // side)))
            blocks = np.repeat(np.repeat(coarse, side, 2), side, 3)
            image = image + 0.7 * blocks[:, :, :height, :width]
        image = image + noise * rng.standard_normal((count, 3, height, width))
        images[modality] = torch.from_numpy(image.astype(np.float32))
    return images


def authors_shapes(method: str) -> tuple[dict[str, tuple[int, ...]], int]:
    """The shapes of the authors' state dict (171 classes, 4 cameras), and their parameters."""
    require(method)
    shapes, parameters = {}, 0
    with (FOLDER / method / "keys.tsv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            shape = (
                tuple(int(n) for n in row["shape"].split("x")) if row["shape"][0].isdigit() else ()
            )
            shapes[row["key"]] = shape
            parameters += int(np.prod(shape)) if row["kind"].startswith("param") else 0
    return shapes, parameters


def without(made: Made, letters: str) -> Batch:
    """The batch when these modalities are gone from the whole side."""
    left = [m for m in MODALITIES if m not in {LETTERS[x] for x in letters}]
    return made.batch._replace(
        images={m: made.batch.images[m] for m in left},
        present={m: made.batch.present[m] for m in left},
    )


def two_steps(made: Made, case: Mapping[str, Any]) -> list[dict[str, float]]:
    """The case's steps of SGD on the same batch; the terms of each, before it."""
    model = made.model.train()
    trained = [p for p in model.parameters() if p.requires_grad]
    optimiser = torch.optim.SGD(trained, case["lr"], weight_decay=case["weight_decay"])
    seen = []
    for _ in range(case["steps"]):
        terms = made.method.loss(model, made.batch)
        optimiser.zero_grad()
        torch.stack(list(terms.values())).sum().backward()
        optimiser.step()
        seen.append({k: float(v.detach()) for k, v in terms.items()})
    return seen


def embedded(made: Made, batch: Batch) -> NDArray[Any]:
    with torch.no_grad():
        found: Tensor = made.method.embed(made.model.eval(), batch)
    return found.numpy()


def close(got: Any, want: Any, tolerance: float) -> None:
    """The largest difference over the largest value; `want` may hold the first rows alone."""
    got, want = np.asarray(got, np.float64), np.asarray(want, np.float64)
    got = got[: len(want)] if want.ndim else got
    assert got.shape == want.shape
    far = np.abs(got - want).max() / max(np.abs(want).max(), 1e-30)
    assert far <= tolerance, far


def close_terms(
    terms: Mapping[str, float], want: Arrays, tolerance: float, without: str = ""
) -> None:
    """Every term is the authors' of that name; `without` names one that the case leaves out."""
    theirs = {
        k.removeprefix("loss.").replace(".", "_"): float(v)
        for k, v in want.items()
        if k.startswith("loss.") and not k.startswith("loss.total") and k != f"loss.{without}"
    }
    assert set(terms) == set(theirs)
    for name, value in theirs.items():
        close(terms[name], value, tolerance)
    close(sum(terms.values()), want["loss.total"], tolerance)
