"""What OSNet in streams declares to the harness; imports no torch."""

from __future__ import annotations

from baselines.osnet.config import OSNetConfig
from baselines.shared.declare import baseline, ieee_table_1, top_reid_table_3

INFO = baseline(
    name="osnet",
    target="baselines.osnet.method:OSNetStreams",
    title="OSNet",
    paper="Omni-Scale Feature Learning for Person Re-Identification",
    venue="ICCV",
    year=2019,
    url="https://arxiv.org/abs/1905.00953",
    missing="skip_branch",
    config=OSNetConfig,
    backbone="3 x OSNet",
    claims=(
        *ieee_table_1(
            rgbnt201=(22.12, 22.85, 37.2, 45.93),
            market1501_mm=(39.71, 69.33, 86.67, 91.3),
        ),
        *top_reid_table_3(
            {
                "-RGB": (19.8, 17.3),
                "-NI": (21.0, 19.0),
                "-TI": (18.7, 14.6),
                "-RGB-NI": (12.3, 10.9),
                "-RGB-TI": (9.4, 5.4),
                "-NI-TI": (13.0, 10.2),
            }
        ),
    ),
)
