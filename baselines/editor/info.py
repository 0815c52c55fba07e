"""What EDITOR declares to the harness; imports no torch."""

from __future__ import annotations

from pathlib import Path

from baselines.editor.config import EditorConfig
from harness.spec.method import Claim, MethodInfo

_PAPER = "Zhang et al., CVPR 2024, Table {}, EDITOR (B)"

INFO = MethodInfo(
    name="editor",
    target="baselines.editor.method:Editor",
    uses=("baselines.shared",),
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
    recipes=Path(__file__).parent / "recipes",
    tables=Path(__file__).parent / "tables",
    claims=(
        Claim(
            dataset="rgbnt201",
            protocol="full",
            source=_PAPER.format(1),
            mAP=65.7,
            R1=68.8,
            R5=82.5,
            R10=89.1,
        ),
        Claim(dataset="rgbnt100", protocol="full", source=_PAPER.format(2), mAP=82.1, R1=96.4),
        Claim(dataset="msvr310", protocol="full", source=_PAPER.format(2), mAP=39.0, R1=49.3),
    ),
)
