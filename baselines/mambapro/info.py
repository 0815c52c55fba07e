"""What MambaPro declares to the harness; imports no torch."""

from __future__ import annotations

from baselines.mambapro.config import MambaProConfig
from baselines.shared.declare import baseline, claims

_PAPER = "Wang et al., AAAI 2025 (MambaPro)"

INFO = baseline(
    name="mambapro",
    target="baselines.mambapro.method:MambaPro",
    title="MambaPro",
    paper=(
        "MambaPro: Multi-Modal Object Re-Identification with Mamba Aggregation and Synergistic "
        "Prompt"
    ),
    venue="AAAI",
    year=2025,
    url="https://arxiv.org/abs/2412.10707",
    missing="zero_normalised",
    config=MambaProConfig,
    backbone="CLIP ViT-B/16",
    hub_pretraining="clip",
    tags=("test-camera",),
    camera_switch="sie_camera",
    claims=(
        *claims(_PAPER, "rgbnt201", {"full": (78.9, 83.4, 89.8, 91.9)}),
        *claims(_PAPER, "rgbnt100", {"full": (83.9, 94.7)}),
        *claims(_PAPER, "msvr310", {"full": (47.0, 56.5)}),
    ),
)
