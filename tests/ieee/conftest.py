"""The golden numbers of the authors' code, and the fill and inputs they were made with."""

from __future__ import annotations

import csv
import zlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

GOLDEN = Path(__file__).parents[2].parent / "shared" / "golden"

Arrays = dict[str, NDArray[Any]]


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

DROPPED: dict[str, tuple[str, ...]] = {
    "ieee": (),
    "softmax": (),
    "no_interaction": ("convOne", "convAvgRest", "CA."),
    "no_attention": ("CA.",),
    "no_rem": ("REM",),
    "table3a": ("convOne", "convAvgRest", "CA.", "REM"),
    "table3b": ("REM",),
}


class Golden:
    """Reads the golden files and makes weights and inputs by their recipe."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._values: dict[tuple[str, tuple[int, ...]], Tensor] = {}
        with (folder / "keys.tsv").open() as file:
            rows = list(csv.DictReader(file, delimiter="\t"))
        self.shapes = {
            r["key"]: tuple(map(int, r["shape"].split("x"))) if r["shape"] != "scalar" else ()
            for r in rows
        }

    def numbers(self, name: str) -> Arrays:
        with np.load(self.folder / name) as file:
            return {k: file[k] for k in file.files}

    def fill(self, classes: int, variant: str = "ieee") -> dict[str, Tensor]:
        """The authors' state dict for a variant: values drawn from each key's name."""
        out = {}
        for key, shape in self.shapes.items():
            if key.startswith(DROPPED[variant]):
                continue
            full = (classes, *shape[1:]) if key.startswith("classifier_") else shape
            if (key, full) not in self._values:  # drawing all takes seconds, and cases share them
                self._values[key, full] = torch.from_numpy(self._value(key, full))
            out[key] = self._values[key, full]
        return out

    def _value(self, key: str, shape: tuple[int, ...]) -> NDArray[Any]:
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
        elif leaf == "weight" and f"{stem}.running_mean" in self.shapes:
            value = 1 + 0.1 * rng.standard_normal(shape)
            value *= 0.1 if key.endswith(".bn3.weight") else 1
        elif leaf == "bias":
            value = 0.05 * rng.standard_normal(shape)
        else:
            value = rng.standard_normal(shape) / np.sqrt(np.prod(shape[1:]))
        return value.astype(np.float32)

    def inputs(self, setting: Setting) -> dict[str, Tensor]:
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


@pytest.fixture(scope="session")
def golden() -> Golden:
    if not GOLDEN.is_dir():
        pytest.skip(f"the golden numbers are not at {GOLDEN}")
    return Golden(GOLDEN)


@pytest.fixture(scope="session")
def settings() -> dict[str, Setting]:
    return SETTINGS
