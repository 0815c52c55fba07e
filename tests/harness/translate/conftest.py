"""A translator trained once on the drawn set, and a small folder in Market-1501's layout."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from harness.data.open import open_dataset
from harness.spec.plugins import load_plugins
from harness.translate.settings import make_settings
from harness.translate.training import train_translator

# Small enough for seconds; 60 steps, so that the pools of 50 begin to exchange.
TINY = ("--size", "24", "28", "--epochs", "3", "--blocks", "1", "--width", "4")

MARKET = {
    "bounding_box_train": ("0002_c1s1_000451_03.jpg", "0007_c3s3_077419_03.jpg"),
    "query": ("0001_c1s1_001051_00.jpg",),
    "bounding_box_test": (
        "-1_c1s1_000401_03.jpg",
        "0000_c1s1_000151_01.jpg",
        "0001_c2s1_000301_00.jpg",
    ),
}
KEPT = {
    "train": MARKET["bounding_box_train"],
    "query": MARKET["query"],
    "gallery": MARKET["bounding_box_test"][1:],
}


@pytest.fixture(scope="session")
def trained(drawn: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a translator trained without a stop, by the options in TINY."""
    out = tmp_path_factory.mktemp("translator")
    settings = make_settings("RGB", "TI", size=(24, 28), epochs=3, blocks=1, width=4)
    data = open_dataset(str(drawn), load_plugins())
    train_translator(data, settings, 7, out, torch.device("cpu"))
    return out


@pytest.fixture
def market(tmp_path: Path) -> Path:
    """Six images in Market-1501's layout, with junk, a distractor and a stray file."""
    draws = np.random.default_rng(5)
    root = tmp_path / "market"
    for folder, names in MARKET.items():
        (root / folder).mkdir(parents=True)
        (root / folder / "Thumbs.db").write_bytes(b"not a picture")
        for name in names:
            coarse = draws.integers(0, 256, (5, 3, 3), dtype=np.uint8)
            Image.fromarray(coarse).resize((18, 34)).save(root / folder / name, quality=95)
    return root
