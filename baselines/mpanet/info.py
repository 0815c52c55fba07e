"""What MPANet declares to the harness; imports no torch."""

from __future__ import annotations

from baselines.mpanet.config import MPANetConfig
from baselines.shared.declare import baseline, ieee_table_2

INFO = baseline(
    name="mpanet",
    target="baselines.mpanet.method:MPANetMethod",
    title="MPANet",
    paper="Discover Cross-Modality Nuances for Visible-Infrared Person Re-Identification",
    venue="CVPR",
    year=2021,
    url=(
        "https://openaccess.thecvf.com/content/CVPR2021/html/Wu_Discover_Cross-Modality_Nuances_"
        "for_Visible-Infrared_Person_Re-Identification_CVPR_2021_paper.html"
    ),
    missing="native",
    config=MPANetConfig,
    backbone="ResNet-50",
    claims=ieee_table_2(
        {
            "RGB>TI@regdb": (19.00, 20.82),
            "TI>RGB@regdb": (20.28, 23.14),
            "RGB>NI@sysu": (25.04, 30.96),
            "NI>RGB@sysu": (26.03, 26.54),
        }
    ),
)
