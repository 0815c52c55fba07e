"""What EDITOR declares to the harness; imports no torch."""

from __future__ import annotations

from baselines.editor.config import EditorConfig
from baselines.shared.declare import baseline, claims

_PAPER = "Zhang et al., CVPR 2024, Table {}, EDITOR (B)"

INFO = baseline(
    name="editor",
    target="baselines.editor.method:Editor",
    title="EDITOR",
    paper="Magic Tokens: Select Diverse Tokens for Multi-modal Object Re-Identification",
    venue="CVPR",
    year=2024,
    url="https://arxiv.org/abs/2403.10254",
    missing="zero_normalised",
    config=EditorConfig,
    backbone="ViT-B/16",
    hub_pretraining="imagenet21k",
    tags=("test-camera",),
    camera_switch="sie_camera",
    common_config={"normalise": True},
    claims=(
        *claims(_PAPER.format(1), "rgbnt201", {"full": (65.7, 68.8, 82.5, 89.1)}),
        *claims(_PAPER.format(2), "rgbnt100", {"full": (82.1, 96.4)}),
        *claims(_PAPER.format(2), "msvr310", {"full": (39.0, 49.3)}),
    ),
)
