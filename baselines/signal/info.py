"""What Signal declares to the harness; imports no torch."""

from __future__ import annotations

from pathlib import Path

from baselines.signal.config import SignalConfig
from harness.spec.method import Claim, MethodInfo

_PAPER = "Signal (AAAI 2026)"

INFO = MethodInfo(
    name="signal",
    target="baselines.signal.method:Signal",
    uses=("baselines.shared",),
    title="Signal",
    paper=(
        "Signal: Selective Interaction and Global-local Alignment for Multi-Modal Object "
        "Re-Identification"
    ),
    venue="AAAI",
    year=2026,
    url="https://arxiv.org/abs/2511.17965",
    missing="zero_normalised",
    config=SignalConfig,
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
            source=_PAPER,
            mAP=80.3,
            R1=85.2,
            R5=91.4,
            R10=93.7,
        ),
        Claim(dataset="rgbnt100", protocol="full", source=_PAPER, mAP=86.3, R1=97.6),
        Claim(dataset="msvr310", protocol="full", source=_PAPER, mAP=53.6, R1=71.9),
    ),
)
