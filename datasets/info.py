"""The data sets that come with the harness, declared without loading any."""

from __future__ import annotations

from pathlib import Path

from harness.dataset import DatasetInfo

_CARDS = Path(__file__).parent / "cards"

RGBNT201 = DatasetInfo("rgbnt201", "reid_datasets.rgbnt201:RGBNT201", _CARDS / "rgbnt201.toml")
SYNTHETIC = DatasetInfo("synthetic", "reid_datasets.synthetic:Synthetic", _CARDS / "synthetic.toml")
