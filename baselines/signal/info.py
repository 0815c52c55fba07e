"""What Signal declares to the harness; imports no torch."""

from __future__ import annotations

from baselines.shared.declare import baseline, claims
from baselines.signal.config import SignalConfig

_PAPER = "Signal (AAAI 2026)"

INFO = baseline(
    name="signal",
    target="baselines.signal.method:Signal",
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
    common_config={"normalise": True},
    claims=(
        *claims(_PAPER, "rgbnt201", {"full": (80.3, 85.2, 91.4, 93.7)}),
        *claims(_PAPER, "rgbnt100", {"full": (86.3, 97.6)}),
        *claims(_PAPER, "msvr310", {"full": (53.6, 71.9)}),
    ),
)
