"""One method: its paper, its numbers everywhere, its cost, and where ours departs."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from harness.claims import PublishedClaim
from harness.spec.method import MethodInfo
from leaderboard_app.shared.address import choice
from leaderboard_app.shared.code import show_code
from leaderboard_app.shared.commands import show_commands
from leaderboard_app.shared.data import infos, snapshot
from leaderboard_app.shared.links import CLAIM, CLAIM_PAGE, METHOD, page_of, to_page
from leaderboard_app.shared.names import dataset_words
from leaderboard_app.shared.readme import readme_of, words_alone
from leaderboard_app.shared.rows import trust_mark
from leaderboard_app.shared.text import literal, metric_name

_POLICIES = {
    "zero_normalised": "its image is zero after normalisation",
    "skip_branch": "its branch is left out",
    "impute": "it is made up from the modalities that are there",
    "native": "the method has its own way, which the paper describes",
    "none": "the method cannot do without: protocols that leave one out are refused",
}
_MOST_LINKS = 6
_SHOWN = ("mAP", "R1", "R5", "R10")


def show() -> None:
    """The whole page."""
    st.title("Method", anchor=False)
    known = infos()
    titles = {name: info.title or name for name, info in sorted(known.items())}
    name = choice("Method", list(titles), METHOD, "ieee", words=titles.__getitem__, what="method")
    info = known[name]
    _show_head(info)
    numbers, about = st.tabs(["Numbers", "What it is, and where ours departs"])
    with numbers:
        _show_claims(name)
        _show_runs(name)
    with about:
        text = readme_of(info)
        if text:
            # Streamlit shows HTML as text.
            st.markdown(words_alone(text))
        else:
            st.caption("Its folder has no README.")


def _show_head(info: MethodInfo) -> None:
    st.subheader(literal(info.title or info.name), anchor=False)
    where = " ".join(part for part in (info.venue, str(info.year or "")) if part)
    if info.paper:
        st.markdown(f"{literal(info.paper)}{f', {literal(where)}' if where else ''}")
    lines = {
        "Backbone": info.backbone or "a choice of the recipe",
        "Modalities": "+".join(info.modalities),
        "An absent modality": f"{info.missing}: {_POLICIES.get(info.missing, 'see below')}",
        "Said of all its numbers": ", ".join(info.tags),
    }
    st.markdown("\n".join(f"- {k}: {literal(v)}" for k, v in lines.items() if v))
    if info.url.startswith(("https://", "http://")):
        st.link_button("Open the paper", info.url, icon=":material/open_in_new:")
    show_code([info.title, *(c.method for c in snapshot().claims if c.method_key == info.name)])
    show_commands(("run", "--method", info.name))


def _show_claims(name: str) -> None:
    claims = [c for c in snapshot().claims if c.method_key == name]
    st.markdown(f"**Published numbers** ({len(claims)})")
    if not claims:
        st.caption("None is known.")
        return
    claims.sort(key=lambda c: (c.dataset, c.protocol or "~", bool(c.variant), -(c.mAP or 0)))
    st.dataframe(
        pd.DataFrame([_claim_line(claim) for claim in claims]),
        hide_index=True,
        placeholder="",
        alt="Published numbers of this method",
    )
    own = [c for c in claims if not c.variant and c.protocol == "full"]
    with st.container(horizontal=True):
        for claim in own[:_MOST_LINKS]:
            words = f"{literal(dataset_words(claim.dataset))}: {literal(claim.source)}"
            to_page(CLAIM_PAGE, words, {CLAIM: claim.id})


def _claim_line(claim: PublishedClaim) -> dict[str, object]:
    return {
        "data set": dataset_words(claim.dataset),
        "protocol": claim.protocol or claim.protocol_text,
        "variant": claim.variant or None,
        **{metric_name(m): getattr(claim, m) for m in _SHOWN},
        "source": claim.source,
    }


def _show_runs(name: str) -> None:
    found = [(t, row) for t in snapshot().tables for row in t.runs if row.method == name]
    st.markdown(f"**Run here** ({len(found)})")
    if not found:
        st.caption("Nobody has run it here yet; the command above does.")
        return
    st.dataframe(
        pd.DataFrame(
            [
                {
                    "row": row.title,
                    "data set": dataset_words(table.dataset),
                    "protocol": table.protocol,
                    **{metric_name(m): row.metrics.get(m) for m in _SHOWN},
                    "trust": trust_mark(row),
                    "seeds": ", ".join(map(str, row.seeds)),
                    "parameters, M": None if row.parameters is None else row.parameters / 1e6,
                    "GFLOP": row.gflops,
                }
                for table, row in found
            ]
        ),
        hide_index=True,
        placeholder="",
        column_config={metric_name(m): st.column_config.NumberColumn(format="%.2f") for m in _SHOWN}
        | {
            "parameters, M": st.column_config.NumberColumn(format="%.1f"),
            "GFLOP": st.column_config.NumberColumn(format="%.2f"),
        },
        alt="Runs of this method",
    )
    newest = sorted((row for _, row in found), key=lambda row: row.created, reverse=True)
    with st.container(horizontal=True):
        for row in newest[:_MOST_LINKS]:
            page, about = page_of(row)
            to_page(page, f"Open {literal(row.title)} ({row.metrics['mAP']:.2f})", about)


if __name__ == "__main__":
    show()
