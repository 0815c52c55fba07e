"""What DDAG declares to the harness; imports no torch."""

from __future__ import annotations

from baselines.ddag.config import DDAGConfig
from baselines.shared.declare import baseline, ieee_table_2

INFO = baseline(
    name="ddag",
    target="baselines.ddag.method:DDAG",
    title="DDAG",
    paper=(
        "Dynamic Dual-Attentive Aggregation Learning for Visible-Infrared Person Re-Identification"
    ),
    venue="ECCV",
    year=2020,
    url="https://arxiv.org/abs/2007.09314",
    missing="native",
    config=DDAGConfig,
    backbone="ResNet-50",
    claims=ieee_table_2(
        {
            "RGB>TI@regdb": (18.09, 14.79),
            "TI>RGB@regdb": (20.01, 18.05),
            "RGB>NI@sysu": (21.39, 20.37),
            "NI>RGB@sysu": (24.76, 21.66),
        }
    ),
)
