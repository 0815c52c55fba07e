"""What OSNet in streams declares to the harness; imports no torch."""

from __future__ import annotations

from pathlib import Path

from baselines.osnet.config import OSNetConfig
from harness.spec.method import Claim, MethodInfo

_IEEE = "Wang et al., AAAI 2022 (IEEE), Table 1"
_TOP_REID = "Wang et al., AAAI 2024 (TOP-ReID), Table 3"

INFO = MethodInfo(
    name="osnet",
    target="baselines.osnet.method:OSNetStreams",
    uses=("baselines.shared",),
    title="OSNet",
    paper="Omni-Scale Feature Learning for Person Re-Identification",
    venue="ICCV",
    year=2019,
    url="https://arxiv.org/abs/1905.00953",
    missing="skip_branch",
    config=OSNetConfig,
    backbone="3 x OSNet",
    recipes=Path(__file__).parent / "recipes",
    claims=(
        Claim(
            dataset="rgbnt201",
            protocol="full",
            source=_IEEE,
            mAP=22.12,
            R1=22.85,
            R5=37.2,
            R10=45.93,
        ),
        Claim(
            dataset="market1501-mm",
            protocol="full",
            source=_IEEE,
            mAP=39.71,
            R1=69.33,
            R5=86.67,
            R10=91.3,
        ),
        Claim(dataset="rgbnt201", protocol="-RGB", source=_TOP_REID, mAP=19.8, R1=17.3),
        Claim(dataset="rgbnt201", protocol="-NI", source=_TOP_REID, mAP=21.0, R1=19.0),
        Claim(dataset="rgbnt201", protocol="-TI", source=_TOP_REID, mAP=18.7, R1=14.6),
        Claim(dataset="rgbnt201", protocol="-RGB-NI", source=_TOP_REID, mAP=12.3, R1=10.9),
        Claim(dataset="rgbnt201", protocol="-RGB-TI", source=_TOP_REID, mAP=9.4, R1=5.4),
        Claim(dataset="rgbnt201", protocol="-NI-TI", source=_TOP_REID, mAP=13.0, R1=10.2),
    ),
)
