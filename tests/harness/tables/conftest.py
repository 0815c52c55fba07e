"""A method whose rows differ, plans with it, and how a table of them is asked for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Answer, Harness

PIECES = '''
"""One linear layer for each modality; the descriptor is all of them side by side."""
import os

import torch
from pydantic import BaseModel, ConfigDict
from torch import nn

from harness import MethodInfo


class PiecesConfig(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    size: int = 8
    broken: bool = False
    joined: bool = False


class Pieces:
    def build(self, config, data):
        if config.broken:
            raise RuntimeError("a part fell off")
        if os.environ.get("PIECES_STOP") == str(config.size):
            raise KeyboardInterrupt
        pixels = 3 * data.height * data.width
        layers = {m: nn.Linear(pixels, config.size) for m in data.modalities}
        whole = config.size * (1 if config.joined else len(layers))
        model = nn.ModuleDict({**layers, "head": nn.Linear(whole, data.classes)})
        model.config = config
        return model

    def embed(self, model, batch):
        parts = [model[m](x.flatten(1)) for m, x in batch.images.items()]
        return sum(parts) if model.config.joined else torch.cat(parts, 1)

    def loss(self, model, batch):
        logits = model["head"](self.embed(model, batch))
        return {"ce": nn.functional.cross_entropy(logits, batch.pids)}

    def modality_columns(self, model):
        if model.config.joined:
            return {}
        streams = [m for m in model if m != "head"]
        w = model.config.size
        return {m: (w * i, w * (i + 1)) for i, m in enumerate(streams)}


METHOD = MethodInfo(name="pieces", target=f"{__name__}:Pieces", config=PiecesConfig)
'''

PLAN = """
title = "What width gives"
source = "a paper, Table 1"
metrics = ["mAP", "R1"]

[[columns]]
name = "all"
title = "All three"
dataset = "rgbnt201"
protocol = "full"

[[columns]]
name = "two"
dataset = "rgbnt201"
protocol = "RGB+TI"

[[rows]]
label = "narrow"
method = "pieces"
set = ["size=4"]
claims.all = { mAP = 10.0, R1 = 20.5 }

[[rows]]
label = "wide"
method = "pieces"
set = ["size=12"]
columns = ["all"]
claims.all = { mAP = 30.0, estimated = true, source = "a paper, Figure 2" }
"""

FAST = ("--set", "epochs=1", "--set", "input.height=32", "--set", "input.width=16")
"""Makes a run of the method below take a fraction of a second."""

Ask = Callable[..., Answer]


@pytest.fixture
def pieces(tmp_path: Path) -> Path:
    """The method's file."""
    path = tmp_path / "pieces.py"
    path.write_text(PIECES)
    return path


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    """The plan's file, which a test may write anew."""
    path = tmp_path / "widths.toml"
    path.write_text(PLAN)
    return path


@pytest.fixture
def ask(harness: Harness, drawn: Path, pieces: Path, plan: Path, tmp_path: Path) -> Ask:
    """`harness table PLAN` on the drawn set, small and quick, with more words after it."""

    def asked(*words: object, dataset: Path = drawn) -> Answer:
        fixed = ["--dataset", dataset, "--plugin", pieces, "--out", tmp_path / "runs"]
        return harness("table", plan, *fixed, "--track", "smoke", *FAST, *words)

    return asked
