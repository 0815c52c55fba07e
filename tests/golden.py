"""The golden numbers' recipe: how weights and inputs are made from names and seeds alone."""

from __future__ import annotations

import csv
import zlib
from collections.abc import Container, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

GOLDEN = Path(__file__).parents[1].parent / "shared" / "golden"


class Setting(NamedTuple):
    """The row of golden/README.md, section 2, for one size."""

    seed: int
    height: int
    width: int
    labels: list[int]
    classes: int
    lr: float


SETTINGS = {
    "small": Setting(0, 128, 64, [1, 1, 4, 4], 6, 1e-4),
    "full": Setting(0, 256, 128, [3] * 4 + [42] * 4, 171, 1e-4),
}


def filled(key: str, shape: tuple[int, ...], keys: Container[str]) -> NDArray[Any]:
    """The float32 value of a parameter or buffer, drawn from its official name.

    Args:
        key: Its name.
        shape: Its shape.
        keys: All names of the model; they tell which weights are a batch normalisation's.
    """
    rng = np.random.default_rng(zlib.crc32(key.encode()))
    stem, leaf = key.rsplit(".", 1)
    if leaf == "num_batches_tracked":
        return np.zeros(shape, np.int64)
    if leaf == "running_mean":
        value = 0.1 * rng.standard_normal(shape)
    elif leaf == "running_var":
        value = rng.uniform(0.5, 1.5, shape)
    elif leaf == "param":
        value = np.full(shape, 0.5)
    elif leaf == "weight" and f"{stem}.running_mean" in keys:
        value = 1 + 0.1 * rng.standard_normal(shape)
        value *= 0.1 if key.endswith(".bn3.weight") else 1
    elif leaf == "bias":
        value = 0.05 * rng.standard_normal(shape)
    else:
        value = rng.standard_normal(shape) / np.sqrt(np.prod(shape[1:]))
    return value.astype(np.float32)


def inputs(setting: Setting) -> dict[str, Tensor]:
    """The images by modality, float32."""
    n, h, w = len(setting.labels), setting.height, setting.width
    rng = np.random.default_rng(setting.seed)
    out = {}
    for modality in ("RGB", "NI", "TI"):
        x = np.zeros((n, 3, h, w)) + rng.standard_normal((n, 3, 1, 1))
        for s in (64, 32, 16):
            c = rng.standard_normal((n, 3, -(-h // s), -(-w // s)))
            x += 0.7 * c.repeat(s, 2).repeat(s, 3)[:, :, :h, :w]
        x += 0.2 * rng.standard_normal((n, 3, h, w))
        out[modality] = torch.from_numpy(x.astype(np.float32))
    return out


def stats(tensors: Mapping[str, Tensor], keys: NDArray[Any]) -> NDArray[Any]:
    """Sum, norm and a random projection of each, as golden/README.md section 3 says."""
    rows = []
    for key in keys:
        flat = tensors[key].detach().double().numpy().ravel()
        taken = flat[:: max(1, flat.size // 4096)]
        rng = np.random.default_rng(zlib.crc32(f"proj:{key}".encode()))
        rows.append((flat.sum(), np.linalg.norm(flat), taken @ rng.standard_normal(taken.size)))
    return np.array(rows)


def shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """The names and shapes of a list of keys."""
    with path.open() as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    return {
        r["key"]: tuple(map(int, r["shape"].split("x"))) if r["shape"] not in ("", "scalar") else ()
        for r in rows
    }
