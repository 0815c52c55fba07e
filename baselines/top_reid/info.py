"""What TOP-ReID declares to the harness; imports no torch."""

from __future__ import annotations

from pathlib import Path

from baselines.top_reid.config import TopReidConfig
from harness.spec.method import Claim, MethodInfo

_PAPER = "Wang et al., AAAI 2024, Table {}"

INFO = MethodInfo(
    name="top-reid",
    target="baselines.top_reid.method:TopReid",
    uses=("baselines.shared",),
    title="TOP-ReID",
    paper="TOP-ReID: Multi-spectral Object Re-Identification with Token Permutation",
    venue="AAAI",
    year=2024,
    url="https://arxiv.org/abs/2312.09612",
    missing="impute",
    config=TopReidConfig,
    backbone="3 x ViT-B/16",
    hub_pretraining="imagenet21k",
    tags=("test-camera",),
    camera_switch="sie_camera",
    recipes=Path(__file__).parent / "recipes",
    tables=Path(__file__).parent / "tables",
    claims=(
        Claim(
            dataset="rgbnt201",
            protocol="full",
            source=_PAPER.format(1),
            mAP=72.3,
            R1=76.6,
            R5=84.7,
            R10=89.4,
        ),
        Claim(dataset="rgbnt100", protocol="full", source=_PAPER.format(2), mAP=81.2, R1=96.4),
        Claim(dataset="msvr310", protocol="full", source=_PAPER.format(2), mAP=35.9, R1=44.6),
        *(
            Claim(dataset="rgbnt201", protocol=absent, source=_PAPER.format(3), mAP=mAP, R1=rank1)
            for absent, mAP, rank1 in (
                ("-RGB", 54.4, 57.5),
                ("-NI", 64.3, 67.6),
                ("-TI", 51.9, 54.5),
                ("-RGB-NI", 35.3, 35.4),
                ("-RGB-TI", 26.2, 26.0),
                ("-NI-TI", 34.1, 31.7),
            )
        ),
    ),
)
