"""The golden numbers of the authors' code, and the fill and inputs they were made with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from tests.golden import GOLDEN, SETTINGS, Setting, filled, inputs, shapes

Arrays = dict[str, NDArray[Any]]

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
        self.shapes = shapes(folder / "keys.tsv")

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
                self._values[key, full] = torch.from_numpy(filled(key, full, self.shapes))
            out[key] = self._values[key, full]
        return out

    def inputs(self, setting: Setting) -> dict[str, Tensor]:
        """The images by modality, float32."""
        return inputs(setting)


@pytest.fixture(scope="session")
def golden() -> Golden:
    if not GOLDEN.is_dir():
        pytest.skip(f"the golden numbers are not at {GOLDEN}")
    return Golden(GOLDEN)


@pytest.fixture(scope="session")
def settings() -> dict[str, Setting]:
    return SETTINGS
