"""What HA-CNN in streams declares to the harness; imports no torch."""

from __future__ import annotations

from baselines.hacnn.config import HACNNConfig
from baselines.shared.declare import baseline, ieee_table_1, top_reid_table_3

INFO = baseline(
    name="hacnn",
    target="baselines.hacnn.method:HACNNStreams",
    title="HA-CNN",
    paper="Harmonious Attention Network for Person Re-Identification",
    venue="CVPR",
    year=2018,
    url="https://arxiv.org/abs/1802.08122",
    missing="skip_branch",
    config=HACNNConfig,
    backbone="3 x HA-CNN",
    input_size=(160, 64),
    claims=(
        *ieee_table_1(
            rgbnt201=(19.34, 14.71, 25.48, 32.78),
            market1501_mm=(42.9, 69.15, 86.64, 92.22),
        ),
        *top_reid_table_3(
            {
                "-RGB": (12.5, 11.1),
                "-NI": (20.5, 19.4),
                "-TI": (16.7, 13.3),
                "-RGB-NI": (9.2, 6.2),
                "-RGB-TI": (6.3, 2.2),
                "-NI-TI": (14.8, 12.0),
            }
        ),
    ),
)
