"""The data sets that come with the harness, declared without loading any."""

from __future__ import annotations

from pathlib import Path

from harness.spec.dataset import DatasetInfo

_CARDS = Path(__file__).parent / "cards"


def _info(name: str, loader: str, drawable: str = "") -> DatasetInfo:
    drawn = f"reid_datasets.drawable:{drawable}" if drawable else ""
    return DatasetInfo(name, f"reid_datasets.{loader}", _CARDS / f"{name}.toml", drawn)


RGBNT201 = _info("rgbnt201", "parallel:Parallel", "RGBNT201")
MARKET1501_MM = _info("market1501-mm", "parallel:Parallel", "MARKET1501_MM")
RGBNT100 = _info("rgbnt100", "strips:Strips", "RGBNT100")
RGBN300 = _info("rgbn300", "strips:Strips", "RGBN300")
MSVR310 = _info("msvr310", "msvr310:MSVR310", "MSVR310")
WMVEID863 = _info("wmveid863", "wmveid863:WMVeID863", "WMVEID863")
CUSTOM = _info("custom", "custom:Custom")
SYNTHETIC = _info("synthetic", "synthetic:Synthetic")
