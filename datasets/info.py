"""The data sets that come with the harness, declared without loading any."""

from __future__ import annotations

from pathlib import Path

from harness.spec.dataset import DatasetInfo

_CARDS = Path(__file__).parent / "cards"


def _info(name: str, target: str) -> DatasetInfo:
    return DatasetInfo(name, f"reid_datasets.{target}", _CARDS / f"{name}.toml")


RGBNT201 = _info("rgbnt201", "rgbnt201:RGBNT201")
MARKET1501_MM = _info("market1501-mm", "market1501_mm:Market1501MM")
RGBNT100 = _info("rgbnt100", "rgbnt100:RGBNT100")
RGBN300 = _info("rgbn300", "rgbn300:RGBN300")
MSVR310 = _info("msvr310", "msvr310:MSVR310")
WMVEID863 = _info("wmveid863", "wmveid863:WMVeID863")
CUSTOM = _info("custom", "custom:Custom")
SYNTHETIC = _info("synthetic", "synthetic:Synthetic")
