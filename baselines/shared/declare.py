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
    """The `MethodInfo` of a method in a folder of `baselines/`, with what lies beside its code.

    Its recipes are in the folder's `recipes/`, its plans of tables in `tables/`, if it has some.

    Args:
        target: "baselines.FOLDER.module:Class".
        uses: As `MethodInfo` has it; most are made of `baselines.shared`.
        own: The other fields of `MethodInfo`.

    Raises:
        ValidationError: A field that `MethodInfo` does not have, or a value that it refuses.
    """
    folder = _BASELINES / target.split(".")[1]
    tables = folder / "tables"
    return MethodInfo(
        target=target,
        uses=uses,
        recipes=folder / "recipes",
        tables=tables if tables.is_dir() else None,
        **own,
    )


def claims(source: str, dataset: str, rows: Mapping[str, Numbers]) -> tuple[Claim, ...]:
    """A paper's numbers on one data set, by protocol."""
    return tuple(
        Claim(
            dataset=dataset,
            protocol=protocol,
            source=source,
            **dict(zip(("mAP", "R1", "R5", "R10"), numbers, strict=False)),
        )
        for protocol, numbers in rows.items()
    )


def ieee_table_1(rgbnt201: Numbers, market1501_mm: Numbers) -> tuple[Claim, ...]:
    """A row of Table 1 of IEEE (Wang et al., AAAI 2022): all three modalities on both sides."""
    return (
        *claims(_IEEE_TABLE_1, "rgbnt201", {"full": rgbnt201}),
        *claims(_IEEE_TABLE_1, "market1501-mm", {"full": market1501_mm}),
    )


def ieee_table_2(rgbnt201: Mapping[str, Numbers]) -> tuple[Claim, ...]:
    """A row of Table 2 of IEEE, by protocol: one modality asked for in another."""
    return claims(_IEEE_TABLE_2, "rgbnt201", rgbnt201)


def top_reid_table_3(rgbnt201: Mapping[str, Numbers]) -> tuple[Claim, ...]:
    """A row of Table 3 of TOP-ReID (Wang et al., AAAI 2024), by protocol: modalities missing."""
    return claims(_TOP_REID_TABLE_3, "rgbnt201", rgbnt201)
