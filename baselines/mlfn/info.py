"""What MLFN in streams declares to the harness; imports no torch."""

from __future__ import annotations

from pathlib import Path

from baselines.shared.stream_config import StreamConfig
from harness.spec.method import Claim, MethodInfo

_IEEE = "Wang et al., AAAI 2022 (IEEE), Table 1"
_TOP_REID = "Wang et al., AAAI 2024 (TOP-ReID), Table 3"

INFO = MethodInfo(
    name="mlfn",
    target="baselines.mlfn.method:MLFNStreams",
    uses=("baselines.shared",),
    title="MLFN",
    paper="Multi-Level Factorisation Net for Person Re-Identification",
    venue="CVPR",
    year=2018,
    url="https://arxiv.org/abs/1803.09132",
    missing="skip_branch",
    config=StreamConfig,
    backbone="3 x MLFN",
    recipes=Path(__file__).parent / "recipes",
    claims=(
        Claim(
            dataset="rgbnt201",
            protocol="full",
            source=_IEEE,
            mAP=24.66,
            R1=23.68,
            R5=38.52,
            R10=49.52,
        ),
        Claim(
            dataset="market1501-mm",
            protocol="full",
            source=_IEEE,
            mAP=42.69,
            R1=68.11,
            R5=87.11,
            R10=91.95,
        ),
        Claim(dataset="rgbnt201", protocol="-RGB", source=_TOP_REID, mAP=20.2, R1=18.9),
        Claim(dataset="rgbnt201", protocol="-NI", source=_TOP_REID, mAP=21.1, R1=19.7),
        Claim(dataset="rgbnt201", protocol="-TI", source=_TOP_REID, mAP=17.6, R1=11.1),
        Claim(dataset="rgbnt201", protocol="-RGB-NI", source=_TOP_REID, mAP=13.2, R1=12.1),
        Claim(dataset="rgbnt201", protocol="-RGB-TI", source=_TOP_REID, mAP=8.3, R1=3.5),
        Claim(dataset="rgbnt201", protocol="-NI-TI", source=_TOP_REID, mAP=13.1, R1=9.1),
    ),
)
