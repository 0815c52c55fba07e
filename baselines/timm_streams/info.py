"""What `timm` declares to the harness; imports no torch."""

from __future__ import annotations

from baselines.shared.declare import baseline
from baselines.timm_streams.config import TimmConfig

INFO = baseline(
    name="timm",
    target="baselines.timm_streams.method:TimmStreams",
    uses=("baselines.shared", "ieee"),
    title="timm baseline",
    paper="Bag of Tricks and a Strong Baseline for Deep Person Re-Identification",
    venue="CVPR Workshops",
    year=2019,
    url="https://arxiv.org/abs/1903.07071",
    missing="skip_branch",
    config=TimmConfig,
)
