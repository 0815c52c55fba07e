"""What the hetero-center network declares to the harness; imports no torch."""

from __future__ import annotations

from baselines.hc.config import HCConfig
from baselines.shared.declare import baseline, ieee_table_2

INFO = baseline(
    name="hc",
    target="baselines.hc.method:HC",
    title="HC loss",
    paper="Hetero-Center Loss for Cross-Modality Person Re-Identification",
    venue="Neurocomputing",
    year=2020,
    url="https://doi.org/10.1016/j.neucom.2019.12.100",
    missing="native",
    config=HCConfig,
    backbone="ResNet-50",
    claims=ieee_table_2(
        {
            "RGB>TI@regdb": (16.74, 14.25),
            "TI>RGB@regdb": (16.53, 19.32),
            "RGB>NI@sysu": (20.54, 22.19),
            "NI>RGB@sysu": (21.80, 22.93),
        }
    ),
)
