"""What MPANet declares to the harness; imports no torch."""

from __future__ import annotations

from pathlib import Path

from baselines.mpanet.config import MPANetConfig
from harness.spec.method import Claim, MethodInfo

_TABLE_2 = "Wang et al., AAAI 2022, Table 2; how it was scored is unpublished, this is our reading"

INFO = MethodInfo(
    name="mpanet",
    target="baselines.mpanet.method:MPANetMethod",
    uses=("baselines.shared",),
    title="MPANet",
    paper="Discover Cross-Modality Nuances for Visible-Infrared Person Re-Identification",
    venue="CVPR",
    year=2021,
    url=(
        "https://openaccess.thecvf.com/content/CVPR2021/html/Wu_Discover_Cross-Modality_Nuances_"
        "for_Visible-Infrared_Person_Re-Identification_CVPR_2021_paper.html"
    ),
    missing="native",
    config=MPANetConfig,
    backbone="ResNet-50",
    recipes=Path(__file__).parent / "recipes",
    claims=(
        Claim(dataset="rgbnt201", protocol="RGB>TI@regdb", source=_TABLE_2, mAP=19.00, R1=20.82),
        Claim(dataset="rgbnt201", protocol="TI>RGB@regdb", source=_TABLE_2, mAP=20.28, R1=23.14),
        Claim(dataset="rgbnt201", protocol="RGB>NI@sysu", source=_TABLE_2, mAP=25.04, R1=30.96),
        Claim(dataset="rgbnt201", protocol="NI>RGB@sysu", source=_TABLE_2, mAP=26.03, R1=26.54),
    ),
)
