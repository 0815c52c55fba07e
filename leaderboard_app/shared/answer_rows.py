"""The answers to a query, row by row of pictures, for the pages that show them."""

from __future__ import annotations

import streamlit as st

from harness.evidence.record import RunRecord
from harness.spec.modality import Modality
from leaderboard_app.shared.answers import Hit, hits
from leaderboard_app.shared.evidence import Evidence
from leaderboard_app.shared.pictures import Frame, Place
from leaderboard_app.shared.places import picture
from leaderboard_app.shared.text import literal

LEGEND = (
    "Solid blue frame and a tick: the same identity. Dashed orange frame and a cross: another. "
    "Grey: removed by the protocol, and so without a rank."
)


def show_query(place: Place | None, evidence: Evidence, query: int, record: RunRecord) -> None:
    """The query's own pictures."""
    labels, name = evidence.query.labels, evidence.query.names[query]
    with st.container(border=True):
        shown = _shown(record, "query")
        st.image(picture(place, name, shown, "query"), alt=f"Query {name} in {', '.join(shown)}")
        camera = "" if labels.camids is None else f" · camera {labels.camids[query] + 1}"
        st.caption(f"query {literal(name)} · identity {labels.pids[query]}{camera}")


def show_answers(
    place: Place | None,
    evidence: Evidence,
    query: int,
    record: RunRecord,
    head: str,
    most: int = 10,
    with_removed: bool = False,
    against: str = "",
) -> None:
    """The first answers of a run, as the metric ranked them.

    Args:
        place: Where the pictures are; None draws placeholders.
        evidence: Of the run.
        query: Position in the query list.
        record: Of the run.
        head: What stands above, before the precision; may be empty.
        most: Answers to show.
        with_removed: Also those that the protocol removes.
        against: The run it is held against, where a page shows a run's answers more than once.
    """
    ap, first = record.per_query.ap[query], record.per_query.first_rank[query]
    words = f"AP {100 * (ap or 0.0):.2f}, first match at rank {first}"
    st.subheader(literal(f"{head} · {words}" if head else words), anchor=False)
    # The key is a class in the page, by which style.css says how many stand in a row.
    with st.container(horizontal=True, gap="small", key=f"answers-{record.run_id}{against}"):
        for hit in hits(evidence, query, most, with_removed):
            with st.container(gap="xsmall"):
                _show_hit(place, evidence, hit, record)


def _show_hit(place: Place | None, evidence: Evidence, hit: Hit, record: RunRecord) -> None:
    name, labels = evidence.gallery.names[hit.position], evidence.gallery.labels
    frame: Frame = "removed" if hit.rank is None else "correct" if hit.correct else "wrong"
    what = {"removed": "Removed", "correct": "The same identity", "wrong": "Another identity"}[
        frame
    ]
    st.image(
        picture(place, name, _shown(record, "gallery"), frame),
        width="stretch",
        alt=f"{what}{'' if hit.rank is None else f' at rank {hit.rank}'}: {name}",
    )
    mark = {"removed": "removed", "correct": f"{hit.rank} ✓", "wrong": f"{hit.rank} ✗"}[frame]
    camera = "" if labels.camids is None else f" · camera {labels.camids[hit.position] + 1}"
    st.caption(
        f"**{mark}** · identity {labels.pids[hit.position]}{camera} · "
        f"distance {round(hit.distance, 6):.4g}  \n{literal(name)}"
    )


def _shown(record: RunRecord, side: str) -> tuple[Modality, ...]:
    """The modalities the method saw on this side."""
    return tuple(record.protocol[f"{side}_modalities"])
