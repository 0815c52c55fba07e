"""Where the authors' code of a method is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import streamlit as st

from harness.claims import PublicCode, load_code
from leaderboard_app.shared.text import literal


@st.cache_resource(max_entries=1, show_spinner=False)
def public_code() -> Mapping[str, PublicCode]:
    """Of every method that is known, by the name in the claims."""
    return load_code()


def show_code(names: Iterable[str]) -> None:
    """The authors' public code of a method that claims call by these names; says where none is."""
    known = public_code()
    found = [known[name] for name in dict.fromkeys(names) if name in known]
    for code in found:
        licence = literal(code.licence) or "no licence, so for reading only"
        st.markdown(f"Authors' code: {licence}. In it: {literal(code.state)}.")
        st.link_button("Open the code", code.repository, icon=":material/code:")
    if not found:
        st.caption("No public code of the authors is known.")
