"""The page's state lives in its address, so a reload or a sent link shows the same."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

DATASET, PROTOCOL, RUN = "dataset", "protocol", "run"


def asked(name: str) -> str | None:
    """A parameter of the address; anybody may have written it."""
    return st.query_params.get(name)


def select_run(run_id: str | None) -> None:
    """Put a run into the address, or take it out."""
    if run_id is None:
        st.query_params.pop(RUN, None)
    else:
        st.query_params[RUN] = run_id


def choice(label: str, options: Sequence[str], name: str, default: str | None) -> str:
    """A select box whose value is the address's, else `default`, else the first option."""
    wanted = [value for value in (asked(name), default) if value in options]
    # Set before the box is drawn: the address decides, the box follows.
    st.session_state[name] = wanted[0] if wanted else options[0]
    return str(st.selectbox(label, options, key=name, on_change=_keep, args=(name,)))


def _keep(name: str) -> None:
    st.query_params[name] = st.session_state[name]
    select_run(None)
