"""One published number: where it was read, what it was made with, what came out here."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from harness.board import tag_words
from harness.claims import PublishedClaim
from harness.claims.model import METRICS
from harness.export import number
from leaderboard_app.claim.ours import show_ours
from leaderboard_app.shared.address import choice
from leaderboard_app.shared.code import show_code
from leaderboard_app.shared.data import infos, snapshot
from leaderboard_app.shared.links import (
    BOARD_PAGE,
    CLAIM,
    CLAIM_PAGE,
    DATASET,
    METHOD,
    METHOD_PAGE,
    PROTOCOL,
    ROW,
    to_page,
)
from leaderboard_app.shared.names import dataset_words, method_words, protocol_words
from leaderboard_app.shared.text import literal, metric_name


def show() -> None:
    """The whole page."""
    st.title("Claim", anchor=False)
    claims = {claim.id: claim for claim in snapshot().claims}
    if not claims:
        st.info("No published numbers are installed.")
        return
    chosen = choice(
        "Published number",
        list(claims),
        CLAIM,
        words=lambda key: claim_words(claims[key]),
        what="claim",
    )
    claim = claims[chosen]
    _show_head(claim)
    left, right = st.columns(2, gap="large")
    with left:
        _show_source(claim)
    with right:
        _show_tags(claim)
    _show_conflict(claim, claims)
    show_ours(claim)


def claim_words(claim: PublishedClaim) -> str:
    """A claim in a list of claims."""
    name = f"{claim.method} ({claim.variant})" if claim.variant else claim.method
    protocol = claim.protocol or claim.protocol_text
    return f"{name} · {dataset_words(claim.dataset)}, {protocol} · {claim.source}"


def _show_head(claim: PublishedClaim) -> None:
    name = f"{claim.method} ({claim.variant})" if claim.variant else claim.method
    where = protocol_words(claim.protocol) if claim.protocol else claim.protocol_text
    st.subheader(
        f"{literal(name)} on {literal(dataset_words(claim.dataset))}, {literal(where)}",
        anchor=False,
    )
    with st.container(horizontal=True):
        for metric in METRICS:
            value = getattr(claim, metric)
            if value is not None:
                with st.container(width=110, gap=None):
                    st.caption(metric_name(metric))
                    st.markdown(f"### {number(value)}")
    with st.container(horizontal=True):
        if claim.protocol:
            about = {DATASET: claim.dataset, PROTOCOL: claim.protocol, ROW: claim.id}
            to_page(BOARD_PAGE, "Its place on the board", about)
        if claim.method_key in infos():
            words = f"The method {literal(method_words(claim.method_key))}"
            to_page(METHOD_PAGE, words, {METHOD: claim.method_key})


def _show_source(claim: PublishedClaim) -> None:
    st.markdown("**Where it was read**")
    place = f", {literal(claim.source_detail)}" if claim.source_detail else ""
    st.markdown(f"{literal(claim.source)}{place}")
    if claim.source_url:
        st.link_button("Open the source", claim.source_url, icon=":material/open_in_new:")
    lines = {
        "In its words": claim.protocol_text,
        "Year and venue": f"{claim.year or ''} {claim.venue}".strip(),
        "Backbone": claim.backbone,
        "Parameters": "" if claim.params_m is None else f"{claim.params_m:g} million",
        "Operations": "" if claim.flops_g is None else f"{claim.flops_g:g} · 10^9, as printed",
        "Note": claim.note,
    }
    said = [f"- {title}: {literal(text)}" for title, text in lines.items() if text]
    st.markdown("\n".join(said))
    show_code([claim.method])


def _show_tags(claim: PublishedClaim) -> None:
    st.markdown("**What it was made with**")
    if claim.tags:
        st.markdown("\n".join(f"- {literal(tag_words(tag))}" for tag in claim.tags))
    st.caption(
        "Only what is known is said: what is not in this list may still be so. A claim is one "
        "number without an interval, and often without its seed."
    )


def _show_conflict(claim: PublishedClaim, claims: dict[str, PublishedClaim]) -> None:
    if not claim.conflict:
        return
    others = [c for c in claims.values() if c.conflict == claim.conflict and c.id != claim.id]
    st.markdown("**Other sources say other numbers for the same thing; all are kept**")
    st.dataframe(
        pd.DataFrame(
            [
                {"source": c.source, "place": c.source_detail}
                | {metric_name(m): getattr(c, m) for m in METRICS[:4]}
                for c in others
            ]
        ),
        hide_index=True,
        placeholder="",
        alt="Claims that contradict this one",
    )
    with st.container(horizontal=True):
        for other in others[:4]:
            to_page(CLAIM_PAGE, f"The number in {literal(other.source)}", {CLAIM: other.id})


if __name__ == "__main__":
    show()
