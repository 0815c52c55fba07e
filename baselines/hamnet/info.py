"""What HAMNet declares to the harness; imports no torch."""

from __future__ import annotations

from baselines.hamnet.config import HAMNetConfig
from baselines.shared.declare import baseline, ieee_table_1
from harness.spec.method import Claim

_README = "README of ttaalle/multi-modal-vehicle-Re-ID, the authors' repository"

INFO = baseline(
    name="hamnet",
    target="baselines.hamnet.method:HAMNet",
    title="HAMNet",
    paper="Multi-Spectral Vehicle Re-Identification: A Challenge",
    venue="AAAI",
    year=2020,
    url="https://doi.org/10.1609/aaai.v34i07.6796",
    missing="skip_branch",
    config=HAMNetConfig,
    backbone="3 x ResNet-50",
    claims=(
        *ieee_table_1(
            rgbnt201=(27.68, 26.32, 41.51, 51.67),
            market1501_mm=(59.96, 82.84, 92.50, 94.96),
        ),
        Claim(dataset="rgbnt100", protocol="full", source=_README, mAP=64.1, R1=84.7),
        Claim(dataset="rgbn300", protocol="full", source=_README, mAP=61.9, R1=84.0),
    ),
)
