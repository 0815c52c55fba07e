"""Pictures of what a run answered, for a site: of drawn figures, and of people only when asked."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

from harness.base.errors import HarnessError
from harness.board import BoardTable
from harness.data.open import open_dataset
from harness.data.opened import OpenDataset
from harness.data.validation import held_out
from harness.evidence.record import RunRecord
from harness.spec.plugins import load_plugins
from harness.spec.protocol import BoundProtocol
from harness.store import Store
from leaderboard_app.shared.answers import hits, ordered
from leaderboard_app.shared.evidence import Evidence, read_evidence
from leaderboard_app.shared.pictures import Frame, Place, strip

_QUERIES, _ANSWERS = 3, 5


def answers_of(store: Store | None, table: BoardTable, data: Sequence[str]) -> list[dict[str, Any]]:
    """The worst queries of the best run of a table with their first answers; nothing without it."""
    # The evidence of a run is of its own protocol, whatever it was scored under since.
    runs = [row for row in table.runs if not row.scored]
    if store is None or not runs:
        return []
    run = store.get(runs[0].run_ids[0])
    if not data and not is_drawn(run.record):
        return []
    try:
        place = _place(run.record, data)
        evidence = read_evidence(run.record, run.path.parent)
    except HarnessError:
        return []
    if place is None:
        return []
    worst = ordered("worst", run.record.per_query.ap)[:_QUERIES]
    return [_one(place, evidence, run.record, query) for query in worst]


def is_drawn(record: RunRecord) -> bool:
    """Whether a run's data are drawn figures, not people."""
    return record.dataset.get("made_like") is not None


def _place(record: RunRecord, data: Sequence[str]) -> Place | None:
    plugins = load_plugins()
    for spec in (None, *data):
        found: OpenDataset = open_dataset(spec, plugins)
        if found.data_hash == record.data_hash:
            protocol = BoundProtocol.model_validate(record.protocol)
            seen = held_out(found, protocol.held_out)
            splits = (protocol.gallery_split, protocol.query_split)
            return Place(found.root, {s.name: s for part in splits for s in seen.samples(part)})
    return None


def _one(place: Place, evidence: Evidence, record: RunRecord, query: int) -> dict[str, Any]:
    name = evidence.query.names[query]
    return {
        "name": name,
        "ap": f"{100 * (record.per_query.ap[query] or 0.0):.2f}",
        "picture": _picture(place, record, "query", name, "query"),
        "answers": [
            {
                "rank": hit.rank,
                "what": "the same identity" if hit.correct else "another identity",
                "name": evidence.gallery.names[hit.position],
                "picture": _picture(
                    place,
                    record,
                    "gallery",
                    evidence.gallery.names[hit.position],
                    "correct" if hit.correct else "wrong",
                ),
            }
            for hit in hits(evidence, query, _ANSWERS)
        ],
    }


def _picture(place: Place, record: RunRecord, side: str, name: str, frame: Frame) -> str:
    """As an address that holds the picture itself, so that no file lies about with its name."""
    shown = tuple(record.protocol[f"{side}_modalities"])
    return "data:image/png;base64," + base64.b64encode(strip(place, name, shown, frame)).decode()
