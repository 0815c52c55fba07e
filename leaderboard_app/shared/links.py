"""Links from one page to another, with what the address there needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

# Parameters of an address, one word for one thing on every page.
DATASET, PROTOCOL, RUN, OTHER, QUERY = "dataset", "protocol", "run", "with", "query"

RUN_PAGE, COMPARE_PAGE, QUERY_PAGE = "run", "compare", "queries"

_PAGES = Path(__file__).parents[1]


def file_of(page: str) -> Path:
    """The file that Streamlit runs, as a script and at every click, when the address names a page.

    Other modules do not import it: what they would get is not what Streamlit runs.
    """
    return _PAGES / page / "page.py"


def to_page(page: str, label: str, parameters: Mapping[str, str | Sequence[str]]) -> None:
    """A link to a page by its name in the address."""
    given: dict[str, Any] = {k: v if isinstance(v, str) else list(v) for k, v in parameters.items()}
    st.page_link(file_of(page), label=label, query_params=given, icon=":material/arrow_forward:")
