"""What the templates of a site are given: plain values, escaped where they are set."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from harness.board import BoardRow, BoardTable, is_clean, is_second_hand, tag_words
from harness.board.overview import Overview
from harness.board.view import notes, rank_words, tie_mark
from harness.claims import PublicCode, PublishedClaim
from harness.claims.model import METRICS
from harness.export import number
from harness.spec.method import MethodInfo
from harness.spec.plugins import Plugins
from leaderboard_app.board.columns import uncertainty
from leaderboard_app.board.presets import PRESETS
from leaderboard_app.shared.grid_html import overview_html
from leaderboard_app.shared.names import dataset_words, protocol_words
from leaderboard_app.shared.readme import as_html, readme_of
from leaderboard_app.shared.rows import trust_mark
from leaderboard_app.site.names import address_of

_SHOWN = ("mAP", "R1", "R5", "R10", "mINP")


def listed(table: BoardTable, address: str) -> dict[str, Any]:
    """A table in the list of all tables."""
    best = next((r for r in table.rows if is_clean(r) and not is_second_hand(r)), None)
    return {
        "address": address,
        "dataset": dataset_words(table.dataset),
        "protocol": protocol_words(table.protocol),
        "hashes": f"{table.data_hash[:8]} {table.protocol_hash[:8]}".strip(),
        "claims": len(table.rows) - len(table.runs),
        "runs": len(table.runs),
        "best": "" if best is None else f"{number(best.metrics.get('mAP'))} {best.title}",
    }


def datasets(names: Sequence[str]) -> list[dict[str, str]]:
    """Data sets with an overview."""
    return [{"name": dataset_words(n), "address": address_of(n)} for n in names]


def table_values(table: BoardTable, name: str, known: Collection[str]) -> dict[str, Any]:
    """A board: its rows with chips, the chance level, and what must be said below."""
    return {
        "title": f"{dataset_words(table.dataset)}, {protocol_words(table.protocol)}",
        "hashes": table.title,
        "name": name,
        "presets": [
            {"name": key, "words": preset.words, "without": f"not-{key}"}
            for key, preset in PRESETS.items()
        ],
        "metrics": [m for m in _SHOWN if any(m in row.metrics for row in table.rows)],
        "rows": [_row(row, known) for row in table.rows],
        "chance": {m: number(v) for m, v in table.chance.items()},
        "notes": notes(table),
        "ranked": any(row.rank for row in table.rows),
    }


def _row(row: BoardRow, known: Collection[str]) -> dict[str, Any]:
    hidden = [f"not-{key}" for key, preset in PRESETS.items() if not preset.keeps(row)]
    return {
        "classes": " ".join([row.kind, *hidden]),
        "name": row.title,
        "link": f"claims.html#{row.key}" if row.kind == "claim" else _method_link(row, known),
        "rank": "" if row.rank is None else rank_words(row.rank),
        "ties": "" if row.tie_group is None else tie_mark(row.tie_group),
        "metrics": {m: number(row.metrics.get(m)) for m in _SHOWN},
        "uncertainty": uncertainty(row) or "",
        "trust": trust_mark(row),
        "tags": "; ".join(tag_words(tag) for tag in row.tags),
        "year": row.year or "",
        "source": row.source or ", ".join(run_id[:8] for run_id in row.run_ids),
        # A run's address is its paper's, which does not have the run's number.
        "url": row.source_url if row.kind == "claim" and _is_web(row.source_url) else "",
    }


def _is_web(address: str) -> bool:
    return address.startswith(("https://", "http://"))


def _method_link(row: BoardRow, known: Collection[str]) -> str:
    return f"methods/{address_of(row.method)}.html" if row.method in known else ""


def overview_values(found: Overview, addresses: Mapping[str, str]) -> dict[str, Any]:
    """An overview's table, whose claims are links to their sources."""
    links = {
        cell.row.key: f"../claims.html#{cell.row.key}"
        for row in found.rows
        for cell in row.cells.values()
        if row.kind == "claim"
    }
    shown = [row for row in found.rows if len(row.cells) > 1 or row.kind == "run"] or found.rows
    return {
        "title": dataset_words(found.dataset),
        "table": overview_html(found, shown, links),
        "hidden": len(found.rows) - len(shown),
    }


def claim_lines(
    claims: Iterable[PublishedClaim], plugins: Plugins, code: Mapping[str, PublicCode]
) -> list[dict[str, Any]]:
    """Every published number with where it was read, what it was made with, and its code."""
    return [
        {
            "id": claim.id,
            "name": f"{claim.method} ({claim.variant})" if claim.variant else claim.method,
            "method": address_of(claim.method_key) if claim.method_key in plugins.methods else "",
            "where": f"{dataset_words(claim.dataset)}, {claim.protocol or claim.protocol_text}",
            "metrics": ", ".join(
                f"{m} {number(getattr(claim, m))}" for m in METRICS if getattr(claim, m) is not None
            ),
            "source": ", ".join(part for part in (claim.source, claim.source_detail) if part),
            "url": claim.source_url,
            "tags": "; ".join(tag_words(tag) for tag in claim.tags),
            "code": _code(code, [claim.method]),
            "conflict": claim.conflict,
            "note": claim.note,
        }
        for claim in claims
    ]


def methods(plugins: Plugins) -> list[dict[str, Any]]:
    """The methods that can be run."""
    return [
        {
            "name": info.title or name,
            "address": address_of(name),
            "paper": info.paper,
            "where": f"{info.venue} {info.year or ''}".strip(),
        }
        for name, info in sorted(plugins.methods.items())
    ]


def method_values(
    info: MethodInfo,
    rows: Sequence[tuple[BoardTable, BoardRow]],
    addresses: Mapping[str, str],
    code: Mapping[str, PublicCode],
) -> dict[str, Any]:
    """A method's page."""
    names = [info.title, *(row.family for _, row in rows if row.kind == "claim")]
    return {
        "title": info.title or info.name,
        "paper": info.paper,
        "where": f"{info.venue} {info.year or ''}".strip(),
        "url": info.url if _is_web(info.url) else "",
        "command": f"harness run --method {info.name}",
        "missing": info.missing,
        "backbone": info.backbone,
        "tags": "; ".join(tag_words(tag) for tag in info.tags),
        "code": _code(code, names),
        "readme": as_html(readme_of(info)),
        "rows": [
            {
                "where": f"{dataset_words(table.dataset)}, {table.protocol}",
                "address": addresses[table.title],
                **_row(row, ()),
            }
            for table, row in rows
        ],
    }


def _code(known: Mapping[str, PublicCode], names: Sequence[str]) -> list[dict[str, str]]:
    """The authors' public code of a method that claims call by these names."""
    found = [known[name] for name in dict.fromkeys(names) if name in known]
    return [
        {"url": one.repository, "licence": one.licence or "no licence", "state": one.state}
        for one in found
    ]
