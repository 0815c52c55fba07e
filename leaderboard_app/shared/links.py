"""Links from one page to another, with what the address there needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from harness.board import BoardRow

# Parameters of an address, one word for one thing on every page.
DATASET, PROTOCOL, RUN, OTHER, QUERY = "dataset", "protocol", "run", "with", "query"
CLAIM, METHOD, GUIDE, ROW = "claim", "method", "guide", "row"

# Pages by their folders, which are also their names in the address.
BOARD_PAGE, RUN_PAGE, COMPARE_PAGE, QUERY_PAGE = "board", "run", "compare", "queries"
CLAIM_PAGE, METHOD_PAGE, OVERVIEW_PAGE, GUIDE_PAGE = "claim", "method", "overview", "guide"
PAPER_PAGE = "paper"

_HERE = "page that is open"
_ARROW = ":material/arrow_forward:"
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


def at_page(page: str) -> None:
    """Note which page is drawn now, by its name in the address; empty for the first one."""
    st.session_state[_HERE] = page or BOARD_PAGE


def to_page(page: str, label: str, parameters: Mapping[str, str | Sequence[str]]) -> None:
    """A link to a page by its name in the address."""
    given: dict[str, Any] = {k: v if isinstance(v, str) else list(v) for k, v in parameters.items()}
    if st.session_state.get(_HERE) != page:
        st.page_link(file_of(page), label=label, query_params=given, icon=_ARROW)
        return
    # Streamlit's link to the page that is open shows what it should and leaves the address as it
    # was, so that a reload or a sent link would show something else.
    key = f"to {page} {sorted(given.items())}"
    st.button(label, key=key, type="tertiary", icon=_ARROW, on_click=_go, args=(given,))


def _go(parameters: Mapping[str, str | list[str]]) -> None:
    st.query_params.from_dict(parameters)
