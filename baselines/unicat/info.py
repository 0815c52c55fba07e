"""What UniCat declares to the harness; imports no torch."""

from __future__ import annotations

from baselines.shared.declare import baseline
from baselines.unicat.config import UniCatConfig
from harness.spec.method import Claim

_SOURCE = "Crawford et al., NeurIPS 2023 workshop UniReps, {}, mean of 4 seeds"
_VIT = _SOURCE.format("UniCat with ViT-B/16")

INFO = baseline(
    name="unicat",
    target="baselines.unicat.method:UniCat",
    title="UniCat",
    paper="UniCat: Crafting a Stronger Fusion Baseline for Multimodal Re-Identification",
    venue="NeurIPS Workshops",
    year=2023,
    url="https://arxiv.org/abs/2310.18812",
    missing="skip_branch",
    config=UniCatConfig,
    claims=(
        Claim(dataset="rgbnt201", protocol="full", source=_VIT, mAP=57.6, R1=58.0),
        Claim(dataset="rgbnt100", protocol="full", source=_VIT, mAP=81.3, R1=97.5),
        Claim(dataset="rgbn300", protocol="full", source=_VIT, mAP=80.2, R1=92.9),
    ),
)
