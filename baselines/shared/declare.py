"""What the baselines declare alike, and the tables that print several of them; imports no torch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.spec.method import Claim, MethodInfo

_BASELINES = Path(__file__).parents[1]
_IEEE_TABLE_1 = "Wang et al., AAAI 2022 (IEEE), Table 1"
_IEEE_TABLE_2 = (
    "Wang et al., AAAI 2022, Table 2; how it was scored is unpublished, this is our reading"
)
_TOP_REID_TABLE_3 = "Wang et al., AAAI 2024 (TOP-ReID), Table 3"

Numbers = tuple[float, float] | tuple[float, float, float, float]
"""mAP and R1, then R5 and R10 where they are printed, in percent."""


def baseline(target: str, uses: tuple[str, ...] = ("baselines.shared",), **own: Any) -> MethodInfo:
    """The `MethodInfo` of a method in a folder of `baselines/`, its recipes in `recipes/` there.

    Args:
        target: "baselines.FOLDER.module:Class".
        uses: As `MethodInfo` has it; most are made of `baselines.shared`.
        own: The other fields of `MethodInfo`.

    Raises:
        ValidationError: A field that `MethodInfo` does not have, or a value that it refuses.
    """
    recipes = _BASELINES / target.split(".")[1] / "recipes"
    return MethodInfo(target=target, uses=uses, recipes=recipes, **own)


def ieee_table_1(rgbnt201: Numbers, market1501_mm: Numbers) -> tuple[Claim, ...]:
    """A row of Table 1 of IEEE (Wang et al., AAAI 2022): all three modalities on both sides."""
    return (
        _claim(_IEEE_TABLE_1, "rgbnt201", "full", rgbnt201),
        _claim(_IEEE_TABLE_1, "market1501-mm", "full", market1501_mm),
    )


def ieee_table_2(rgbnt201: Mapping[str, Numbers]) -> tuple[Claim, ...]:
    """A row of Table 2 of IEEE, by protocol: one modality asked for in another."""
    return tuple(_claim(_IEEE_TABLE_2, "rgbnt201", p, row) for p, row in rgbnt201.items())


def top_reid_table_3(rgbnt201: Mapping[str, Numbers]) -> tuple[Claim, ...]:
    """A row of Table 3 of TOP-ReID (Wang et al., AAAI 2024), by protocol: modalities missing."""
    return tuple(_claim(_TOP_REID_TABLE_3, "rgbnt201", p, row) for p, row in rgbnt201.items())


def _claim(source: str, dataset: str, protocol: str, numbers: Numbers) -> Claim:
    metrics = dict(zip(("mAP", "R1", "R5", "R10"), numbers, strict=False))
    return Claim(dataset=dataset, protocol=protocol, source=source, **metrics)
