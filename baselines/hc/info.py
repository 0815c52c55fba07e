"""What the hetero-center network declares to the harness; imports no torch."""

from __future__ import annotations

from pathlib import Path

from baselines.hc.config import HCConfig
from harness.spec.method import Claim, MethodInfo

_TABLE_2 = "Wang et al., AAAI 2022, Table 2; how it was scored is unpublished, this is our reading"

INFO = MethodInfo(
    name="hc",
    target="baselines.hc.method:HC",
    uses=("baselines.shared",),
    title="HC loss",
    paper="Hetero-Center Loss for Cross-Modality Person Re-Identification",
    venue="Neurocomputing",
    year=2020,
    url="https://doi.org/10.1016/j.neucom.2019.12.100",
    missing="native",
    config=HCConfig,
    backbone="ResNet-50",
    recipes=Path(__file__).parent / "recipes",
    claims=(
        Claim(dataset="rgbnt201", protocol="RGB>TI@regdb", source=_TABLE_2, mAP=16.74, R1=14.25),
        Claim(dataset="rgbnt201", protocol="TI>RGB@regdb", source=_TABLE_2, mAP=16.53, R1=19.32),
        Claim(dataset="rgbnt201", protocol="RGB>NI@sysu", source=_TABLE_2, mAP=20.54, R1=22.19),
        Claim(dataset="rgbnt201", protocol="NI>RGB@sysu", source=_TABLE_2, mAP=21.80, R1=22.93),
    ),
)
