"""What MDReID declares to the harness; imports no torch."""

from __future__ import annotations

from baselines.mdreid.config import MDReIDConfig
from baselines.shared.declare import baseline, claims

_PAPER = "MDReID (NeurIPS 2025)"
_PAIRS = ("RGB+TI>NI+TI", "RGB+TI>NI", "RGB>NI", "RGB>NI+TI")
_MISMATCHED = {
    "rgbnt201": ((53.1, 51.7), (16.7, 13.8), (16.6, 11.1), (15.1, 10.9)),
    "rgbnt100": ((69.4, 85.5), (39.6, 47.9), (45.4, 56.4), (37.6, 41.8)),
    "msvr310": ((35.1, 52.5), (24.7, 34.5), (28.6, 39.8), (27.0, 36.0)),
}
"""mAP and Rank-1 of Table 3, pair by pair."""

INFO = baseline(
    name="mdreid",
    target="baselines.mdreid.method:MDReID",
    title="MDReID",
    paper=(
        "MDReID: Modality-Decoupled Learning for Any-to-Any Multi-Modal Object Re-Identification"
    ),
    venue="NeurIPS",
    year=2025,
    url="https://arxiv.org/abs/2510.23301",
    missing="skip_branch",
    config=MDReIDConfig,
    backbone="CLIP ViT-B/16",
    hub_pretraining="clip",
    tags=("test-camera",),
    camera_switch="sie_camera",
    claims=(
        *claims(
            f"{_PAPER}, Table 1; Rank-5 and Rank-10 from logs of the released checkpoint",
            "rgbnt201",
            {"full": (82.1, 85.2, 90.3, 92.6)},
        ),
        *claims(f"{_PAPER}, Table 1", "rgbnt100", {"full": (85.3, 95.6)}),
        *claims(f"{_PAPER}, Table 1", "msvr310", {"full": (51.0, 68.9)}),
        *claims(
            f"{_PAPER}, Table 2",
            "rgbnt201",
            {
                "-RGB": (67.0, 67.9),
                "-NI": (75.8, 80.9),
                "-TI": (61.7, 59.8),
                "-RGB-NI": (48.6, 51.1),
                "-RGB-TI": (31.4, 29.2),
                "-NI-TI": (42.1, 40.0),
            },
        ),
        *(
            claim
            for dataset, rows in _MISMATCHED.items()
            for claim in claims(f"{_PAPER}, Table 3", dataset, dict(zip(_PAIRS, rows, strict=True)))
        ),
    ),
)
