"""What DDAG declares to the harness; imports no torch."""

from __future__ import annotations

from pathlib import Path

from baselines.ddag.config import DDAGConfig
from harness.spec.method import Claim, MethodInfo

_TABLE_2 = "Wang et al., AAAI 2022, Table 2; how it was scored is unpublished, this is our reading"

INFO = MethodInfo(
    name="ddag",
    target="baselines.ddag.method:DDAG",
    uses=("baselines.shared",),
    title="DDAG",
    paper=(
        "Dynamic Dual-Attentive Aggregation Learning for Visible-Infrared Person Re-Identification"
    ),
    venue="ECCV",
    year=2020,
    url="https://arxiv.org/abs/2007.09314",
    missing="native",
    config=DDAGConfig,
    backbone="ResNet-50",
    recipes=Path(__file__).parent / "recipes",
    claims=(
        Claim(dataset="rgbnt201", protocol="RGB>TI@regdb", source=_TABLE_2, mAP=18.09, R1=14.79),
        Claim(dataset="rgbnt201", protocol="TI>RGB@regdb", source=_TABLE_2, mAP=20.01, R1=18.05),
        Claim(dataset="rgbnt201", protocol="RGB>NI@sysu", source=_TABLE_2, mAP=21.39, R1=20.37),
        Claim(dataset="rgbnt201", protocol="NI>RGB@sysu", source=_TABLE_2, mAP=24.76, R1=21.66),
    ),
)
