"""What TOP-ReID declares to the harness; imports no torch."""

from __future__ import annotations

from baselines.shared.declare import baseline, claims
from baselines.top_reid.config import TopReidConfig

_PAPER = "Wang et al., AAAI 2024, Table {}"

INFO = baseline(
    name="top-reid",
    target="baselines.top_reid.method:TopReid",
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
    common_config={"normalise": True},
    claims=(
        *claims(_PAPER.format(1), "rgbnt201", {"full": (72.3, 76.6, 84.7, 89.4)}),
        *claims(_PAPER.format(2), "rgbnt100", {"full": (81.2, 96.4)}),
        *claims(_PAPER.format(2), "msvr310", {"full": (35.9, 44.6)}),
        *claims(
            _PAPER.format(3),
            "rgbnt201",
            {
                "-RGB": (54.4, 57.5),
                "-NI": (64.3, 67.6),
                "-TI": (51.9, 54.5),
                "-RGB-NI": (35.3, 35.4),
                "-RGB-TI": (26.2, 26.0),
                "-NI-TI": (34.1, 31.7),
            },
        ),
    ),
)
