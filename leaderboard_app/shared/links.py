"""Links from one page to another, with what the address there needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from harness.board import BoardRow

# Parameters of an address, one word for one thing on every page.
DATASET, PROTOCOL, RUN, OTHER, QUERY = "dataset", "protocol", "run", "with", "query"
CLAIM, METHOD, GUIDE = "claim", "method", "guide"

# Pages by their folders, which are also their names in the address.
BOARD_PAGE, RUN_PAGE, COMPARE_PAGE, QUERY_PAGE = "board", "run", "compare", "queries"
CLAIM_PAGE, METHOD_PAGE, OVERVIEW_PAGE, GUIDE_PAGE = "claim", "method", "overview", "guide"

_PAGES = Path(__file__).parents[1]


def file_of(page: str) -> Path:
    """The file that Streamlit runs, as a script and at every click, when the address names a page.

    Other modules do not import it: what they would get is not what Streamlit runs.
    """
    return _PAGES / page / "page.py"


def page_of(row: BoardRow) -> tuple[str, dict[str, str]]:
    """The page of a row and what its address needs: a claim's, a run's, or its seeds' together."""
    if row.kind == "claim":
        return CLAIM_PAGE, {CLAIM: row.key}
    return RUN_PAGE, {RUN: ",".join(row.run_ids)}


def to_page(page: str, label: str, parameters: Mapping[str, str | Sequence[str]]) -> None:
    """A link to a page by its name in the address."""
    given: dict[str, Any] = {k: v if isinstance(v, str) else list(v) for k, v in parameters.items()}
    st.page_link(file_of(page), label=label, query_params=given, icon=":material/arrow_forward:")
