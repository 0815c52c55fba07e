"""The settings in which the sides of a comparison differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from harness.evidence.record import RunRecord
from harness.store import Stored

# Words about a recipe, not settings of it.
_WORDS = {"name", "source", "title", "track"}
_ABSENT = "–"


def show_settings(sides: Sequence[Sequence[Stored]], names: Sequence[str]) -> None:
    """What was set otherwise, a line for each setting and a column for each side."""
    st.subheader("Settings that differ", anchor=False)
    lines = differing([settings_of(side[0].record) for side in sides])
    if not lines:
        st.caption("None: the runs differ in their seeds alone, or in nothing that a record says.")
        return
    # Two sides may have one name; a number in front keeps their columns apart.
    titles = [f"{number}: {name}" for number, name in enumerate(names, start=1)]
    st.dataframe(
        pd.DataFrame(
            [{"setting": key, **dict(zip(titles, values, strict=True))} for key, values in lines]
        ),
        hide_index=True,
        height="content" if len(lines) <= 14 else 525,
        alt="Settings in which the runs differ",
    )


def settings_of(record: RunRecord) -> dict[str, str]:
    """A run's settings by dotted key: method, recipe, code and the kind of machine."""
    found = {"method": record.method, "code": record.code_hash[:8]}
    found |= _flat({k: v for k, v in record.recipe.items() if k not in _WORDS})
    device = record.environment.get("device")
    return found | ({} if device is None else {"device": str(device)})


def differing(sides: Sequence[Mapping[str, str]]) -> list[tuple[str, list[str]]]:
    """Keys with a value for each side, in the order of the first side, where they are not equal."""
    keys = list(dict.fromkeys(key for side in sides for key in side))
    lines = [(key, [side.get(key, _ABSENT) for side in sides]) for key in keys]
    return [(key, values) for key, values in lines if len(set(values)) > 1]


def _flat(data: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in data.items():
        if isinstance(value, Mapping) and value:
            found |= _flat(value, f"{prefix}{key}.")
        else:
            found[prefix + key] = str(value)
    return found
