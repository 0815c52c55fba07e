"""What DeMo declares to the harness; imports no torch."""

from __future__ import annotations

from baselines.demo.config import DeMoConfig
from baselines.shared.declare import baseline, claims

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

INFO = baseline(
    name="demo",
    target="baselines.demo.method:DeMo",
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
    common_config={"normalise": True},
    claims=(
        *claims(f"{_PAPER}, Table 1", "rgbnt201", {"full": (79.0, 82.3, 88.8, 92.0)}),
        *claims(_PAPER, "rgbnt100", {"full": (86.2, 97.6)}),
        *claims(_PAPER, "msvr310", {"full": (49.2, 59.8)}),
        *claims(_MISSING, "rgbnt201", _LOST["rgbnt201"]),
        *claims(_MISSING, "rgbnt100", _LOST["rgbnt100"]),
    ),
)
