"""What MLFN in streams declares to the harness; imports no torch."""

from __future__ import annotations

from baselines.shared.declare import baseline, ieee_table_1, top_reid_table_3
from baselines.shared.stream_config import StreamConfig

INFO = baseline(
    name="mlfn",
    target="baselines.mlfn.method:MLFNStreams",
    title="MLFN",
    paper="Multi-Level Factorisation Net for Person Re-Identification",
    venue="CVPR",
    year=2018,
    url="https://arxiv.org/abs/1803.09132",
    missing="skip_branch",
    config=StreamConfig,
    backbone="3 x MLFN",
    claims=(
        *ieee_table_1(
            rgbnt201=(24.66, 23.68, 38.52, 49.52),
            market1501_mm=(42.69, 68.11, 87.11, 91.95),
        ),
        *top_reid_table_3(
            {
                "-RGB": (20.2, 18.9),
                "-NI": (21.1, 19.7),
                "-TI": (17.6, 11.1),
                "-RGB-NI": (13.2, 12.1),
                "-RGB-TI": (8.3, 3.5),
                "-NI-TI": (13.1, 9.1),
            }
        ),
    ),
)
