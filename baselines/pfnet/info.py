"""What PFNet declares to the harness; imports no torch."""

from __future__ import annotations

from baselines.pfnet.config import PFNetConfig
from baselines.shared.declare import baseline, ieee_table_1, top_reid_table_3

INFO = baseline(
    name="pfnet",
    target="baselines.pfnet.method:PFNet",
    uses=(),
    title="PFNet",
    paper="Robust Multi-Modality Person Re-identification",
    venue="AAAI",
    year=2021,
    url="https://doi.org/10.1609/aaai.v35i4.16467",
    missing="zero_normalised",
    config=PFNetConfig,
    backbone="3 x ResNet-50",
    claims=(
        *ieee_table_1(
            rgbnt201=(38.46, 38.88, 52.03, 58.37),
            market1501_mm=(60.93, 83.61, 92.84, 95.49),
        ),
        *top_reid_table_3(
            {
                "-NI": (31.9, 29.8),
                "-TI": (25.5, 25.8),
                "-NI-TI": (26.4, 23.4),
            }
        ),
    ),
)
