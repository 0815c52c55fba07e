"""What IEEE declares to the harness; imports no torch."""

from __future__ import annotations

from pathlib import Path

from harness.spec.method import Claim, MethodInfo
from ieee.config import IEEEConfig

_TABLE_1 = "Wang et al., AAAI 2022, Table 1"

INFO = MethodInfo(
    name="ieee",
    target="ieee.method:IEEE",
    title="IEEE",
    paper=(
        "Interact, Embed, and EnlargE: Boosting Modality-Specific Representations for "
        "Multi-Modal Person Re-identification"
    ),
    venue="AAAI",
    year=2022,
    url="https://doi.org/10.1609/aaai.v36i3.20165",
    missing="zero_normalised",
    config=IEEEConfig,
    recipes=Path(__file__).parent / "recipes",
    tables=Path(__file__).parent / "tables",
    claims=(
        Claim(
            dataset="rgbnt201",
            protocol="full",
            source=_TABLE_1,
            mAP=46.42,
            R1=47.13,
            R5=58.49,
            R10=64.23,
        ),
        Claim(
            dataset="market1501-mm",
            protocol="full",
            source=_TABLE_1,
            mAP=64.32,
            R1=83.93,
            R5=92.96,
            R10=95.69,
        ),
    ),
)
