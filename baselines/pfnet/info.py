"""What PFNet declares to the harness; imports no torch."""

from __future__ import annotations

from pathlib import Path

from baselines.pfnet.config import PFNetConfig
from harness.spec.method import Claim, MethodInfo

_IEEE = "Wang et al., AAAI 2022 (IEEE), Table 1"
_TOP_REID = "Wang et al., AAAI 2024 (TOP-ReID), Table 3"

INFO = MethodInfo(
    name="pfnet",
    target="baselines.pfnet.method:PFNet",
    title="PFNet",
    paper="Robust Multi-Modality Person Re-identification",
    venue="AAAI",
    year=2021,
    url="https://doi.org/10.1609/aaai.v35i4.16467",
    missing="zero_normalised",
    config=PFNetConfig,
    backbone="3 x ResNet-50",
    recipes=Path(__file__).parent / "recipes",
    claims=(
        Claim(
            dataset="rgbnt201",
            protocol="full",
            source=_IEEE,
            mAP=38.46,
            R1=38.88,
            R5=52.03,
            R10=58.37,
        ),
        Claim(
            dataset="market1501-mm",
            protocol="full",
            source=_IEEE,
            mAP=60.93,
            R1=83.61,
            R5=92.84,
            R10=95.49,
        ),
        Claim(dataset="rgbnt201", protocol="-NI", source=_TOP_REID, mAP=31.9, R1=29.8),
        Claim(dataset="rgbnt201", protocol="-TI", source=_TOP_REID, mAP=25.5, R1=25.8),
        Claim(dataset="rgbnt201", protocol="-NI-TI", source=_TOP_REID, mAP=26.4, R1=23.4),
    ),
)
