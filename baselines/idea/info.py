"""What IDEA declares to the harness; imports no torch."""

from __future__ import annotations

from baselines.idea.config import IdeaConfig
from baselines.shared.declare import baseline, claims

_PAPER = "IDEA (CVPR 2025), Tables 1 and 2"

INFO = baseline(
    name="idea",
    target="baselines.idea.method:Idea",
    title="IDEA",
    paper=(
        "IDEA: Inverted Text with Cooperative Deformable Aggregation for Multi-modal Object "
        "Re-Identification"
    ),
    venue="CVPR",
    year=2025,
    url="https://arxiv.org/abs/2503.10324",
    missing="zero_normalised",
    config=IdeaConfig,
    backbone="CLIP ViT-B/16",
    hub_pretraining="clip",
    tags=("text-at-test", "test-camera"),
    camera_switch="sie_camera",
    claims=(
        *claims(_PAPER, "rgbnt201", {"full": (80.2, 82.1, 90.0, 93.3)}),
        *claims(_PAPER, "rgbnt100", {"full": (87.2, 96.5)}),
        *claims(_PAPER, "msvr310", {"full": (47.0, 62.4)}),
    ),
)
