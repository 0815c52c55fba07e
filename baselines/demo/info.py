"""What DeMo declares to the harness; imports no torch."""

from __future__ import annotations

from pathlib import Path

from baselines.demo.config import DeMoConfig
from harness.spec.method import Claim, MethodInfo

_PAPER = "Wang et al., AAAI 2025 (DeMo)"
_MISSING = f"{_PAPER}, table of missing modalities"

_LOST = {
    "rgbnt201": {
        "-RGB": (63.3, 65.3),
        "-NI": (72.6, 75.7),
        "-TI": (56.2, 54.1),
        "-RGB-NI": (45.6, 46.5),
        "-RGB-TI": (26.3, 24.9),
        "-NI-TI": (40.3, 38.5),
    },
    "rgbnt100": {
        "-RGB": (81.0, 94.5),
        "-NI": (84.1, 96.5),
        "-TI": (71.1, 87.6),
        "-RGB-NI": (50.2, 73.7),
        "-RGB-TI": (59.6, 78.1),
        "-NI-TI": (66.3, 82.8),
    },
}
"""mAP and Rank-1 with modalities missing at test."""

INFO = MethodInfo(
    name="demo",
    target="baselines.demo.method:DeMo",
    uses=("baselines.shared",),
    title="DeMo",
    paper=(
        "DeMo: Decoupled Feature-Based Mixture of Experts for Multi-Modal Object Re-Identification"
    ),
    venue="AAAI",
    year=2025,
    url="https://arxiv.org/abs/2412.10650",
    missing="zero_normalised",
    config=DeMoConfig,
    backbone="CLIP ViT-B/16",
    hub_pretraining="clip",
    tags=("test-camera",),
    camera_switch="sie_camera",
    recipes=Path(__file__).parent / "recipes",
    tables=Path(__file__).parent / "tables",
    claims=(
        Claim(
            dataset="rgbnt201",
            protocol="full",
            source=f"{_PAPER}, Table 1",
            mAP=79.0,
            R1=82.3,
            R5=88.8,
            R10=92.0,
        ),
        Claim(dataset="rgbnt100", protocol="full", source=_PAPER, mAP=86.2, R1=97.6),
        Claim(dataset="msvr310", protocol="full", source=_PAPER, mAP=49.2, R1=59.8),
        *(
            Claim(dataset=dataset, protocol=protocol, source=_MISSING, mAP=mAP, R1=R1)
            for dataset, rows in _LOST.items()
            for protocol, (mAP, R1) in rows.items()
        ),
    ),
)
