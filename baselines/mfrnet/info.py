"""What MFRNet declares to the harness; imports no torch."""

from __future__ import annotations

from baselines.mfrnet.config import MFRNetConfig
from baselines.shared.declare import baseline, claims

_PAPER = "Feng et al., ICML 2025 (MFRNet)"

INFO = baseline(
    name="mfrnet",
    target="baselines.mfrnet.method:MFRNetMethod",
    title="MFRNet",
    paper="Multi-Modal Object Re-Identification via Sparse Mixture-of-Experts",
    venue="ICML",
    year=2025,
    url="https://openreview.net/pdf?id=uvFE58mSnR",
    missing="native",
    config=MFRNetConfig,
    backbone="CLIP ViT-B/16",
    hub_pretraining="clip",
    tags=("test-camera",),
    camera_switch="sie_camera",
    claims=(
        *claims(_PAPER, "rgbnt201", {"full": (80.7, 83.6, 91.9, 94.1)}),
        *claims(_PAPER, "rgbnt100", {"full": (88.2, 97.4)}),
        *claims(_PAPER, "msvr310", {"full": (50.6, 64.8)}),
    ),
)
