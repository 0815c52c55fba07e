"""What HAMNet declares to the harness; imports no torch."""

from __future__ import annotations

from pathlib import Path

from baselines.hamnet.config import HAMNetConfig
from harness.spec.method import Claim, MethodInfo

_IEEE = "Wang et al., AAAI 2022 (IEEE), Table 1"
_README = "README of ttaalle/multi-modal-vehicle-Re-ID, the authors' repository"

INFO = MethodInfo(
    name="hamnet",
    target="baselines.hamnet.method:HAMNet",
    uses=("baselines.shared",),
    title="HAMNet",
    paper="Multi-Spectral Vehicle Re-Identification: A Challenge",
    venue="AAAI",
    year=2020,
    url="https://doi.org/10.1609/aaai.v34i07.6796",
    missing="skip_branch",
    config=HAMNetConfig,
    backbone="3 x ResNet-50",
    recipes=Path(__file__).parent / "recipes",
    claims=(
        Claim(
            dataset="rgbnt201",
            protocol="full",
            source=_IEEE,
            mAP=27.68,
            R1=26.32,
            R5=41.51,
            R10=51.67,
        ),
        Claim(
            dataset="market1501-mm",
            protocol="full",
            source=_IEEE,
            mAP=59.96,
            R1=82.84,
            R5=92.50,
            R10=94.96,
        ),
        Claim(dataset="rgbnt100", protocol="full", source=_README, mAP=64.1, R1=84.7),
        Claim(dataset="rgbn300", protocol="full", source=_README, mAP=61.9, R1=84.0),
    ),
)
