"""What HA-CNN in streams declares to the harness; imports no torch."""

from __future__ import annotations

from pathlib import Path

from baselines.hacnn.config import HACNNConfig
from harness.spec.method import Claim, MethodInfo

_IEEE = "Wang et al., AAAI 2022 (IEEE), Table 1"
_TOP_REID = "Wang et al., AAAI 2024 (TOP-ReID), Table 3"

INFO = MethodInfo(
    name="hacnn",
    target="baselines.hacnn.method:HACNNStreams",
    uses=("baselines.shared",),
    title="HA-CNN",
    paper="Harmonious Attention Network for Person Re-Identification",
    venue="CVPR",
    year=2018,
    url="https://arxiv.org/abs/1802.08122",
    missing="skip_branch",
    config=HACNNConfig,
    backbone="3 x HA-CNN",
    input_size=(160, 64),
    recipes=Path(__file__).parent / "recipes",
    claims=(
        Claim(
            dataset="rgbnt201",
            protocol="full",
            source=_IEEE,
            mAP=19.34,
            R1=14.71,
            R5=25.48,
            R10=32.78,
        ),
        Claim(
            dataset="market1501-mm",
            protocol="full",
            source=_IEEE,
            mAP=42.9,
            R1=69.15,
            R5=86.64,
            R10=92.22,
        ),
        Claim(dataset="rgbnt201", protocol="-RGB", source=_TOP_REID, mAP=12.5, R1=11.1),
        Claim(dataset="rgbnt201", protocol="-NI", source=_TOP_REID, mAP=20.5, R1=19.4),
        Claim(dataset="rgbnt201", protocol="-TI", source=_TOP_REID, mAP=16.7, R1=13.3),
        Claim(dataset="rgbnt201", protocol="-RGB-NI", source=_TOP_REID, mAP=9.2, R1=6.2),
        Claim(dataset="rgbnt201", protocol="-RGB-TI", source=_TOP_REID, mAP=6.3, R1=2.2),
        Claim(dataset="rgbnt201", protocol="-NI-TI", source=_TOP_REID, mAP=14.8, R1=12.0),
    ),
)
