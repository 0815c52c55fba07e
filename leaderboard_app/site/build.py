"""Write the leaderboard as a static site: no server behind it, and no script in it."""

from __future__ import annotations

import logging
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment, PackageLoader

from harness.base.errors import HarnessError
from harness.base.hashing import digest
from harness.board import BoardTable, board
from harness.board.evaluated import with_evaluations
from harness.board.overview import datasets_of, overview
from harness.board.view import view_of
from harness.claims import PublicCode, PublishedClaim, load_claims, load_code
from harness.export import render
from harness.spec.plugins import Plugins, load_plugins
from harness.store import STORE_NAME, Store, open_store
from leaderboard_app.site import words
from leaderboard_app.site.names import address_of, table_addresses
from leaderboard_app.site.photos import answers_of

MARKER = ".harness-leaderboard"
"""A file by which a folder is known as a site of ours, which may be written again."""

_MOST_DRAWN = 200


class Site(NamedTuple):
    """What pages are made of."""

    store: Store | None
    plugins: Plugins
    claims: tuple[PublishedClaim, ...]
    tables: tuple[BoardTable, ...]
    addresses: Mapping[str, str]
    """Of tables, by their titles, without an ending."""
    code: Mapping[str, PublicCode]
    """The authors' own, by the name in the claims."""


def build(
    out: Path,
    to: Path,
    store_url: str | None = None,
    data: Sequence[str] = (),
) -> int:
    """Write the site into `to`, which becomes a new folder or takes the place of an older site.

    Args:
        out: The --out folder of runs; it need not be there.
        to: The folder of the site.
        store_url: A team's store instead.
        data: Data sets whose pictures are asked for, people or not; without any, only those of
            drawn figures are shown.

    Returns:
        How many files there are.

    Raises:
        HarnessError: The store cannot be read, or `to` holds something else.
    """
    _require_ours(to)
    # Streamlit says at every cached call that nobody is serving.
    logging.getLogger("streamlit").setLevel(logging.ERROR)
    site = _read(out, store_url)
    to.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=to.parent, prefix=".site-") as folder:
        made = Path(folder) / "site"
        _write(site, made, data)
        (made / MARKER).write_text("harness leaderboard --static\n", encoding="utf-8")
        if to.exists():
            shutil.rmtree(to)
        made.replace(to)
    return sum(path.is_file() for path in to.rglob("*"))


def _require_ours(to: Path) -> None:
    if to.is_dir() and any(to.iterdir()) and not (to / MARKER).is_file():
        raise HarnessError(
            seen=f"{to} is not empty and holds no site of this command",
            expected="a new folder, an empty one, or a site to write again",
            do="name another folder",
        )
    if to.exists() and not to.is_dir():
        raise HarnessError(f"{to} is a file", "a folder for the site", "name another one")


def _read(out: Path, store_url: str | None) -> Site:
    there = store_url is not None or (out / STORE_NAME).is_file()
    store = open_store(out, store_url) if there else None
    plugins = load_plugins()
    claims = load_claims()
    summaries, per_query = with_evaluations(store)
    tables = tuple(board(summaries, claims, per_query, plugins.methods))
    return Site(store, plugins, claims, tables, table_addresses(tables), load_code(plugins))


def _write(site: Site, to: Path, data: Sequence[str]) -> None:
    environment = Environment(
        loader=PackageLoader("leaderboard_app.site"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    about = _about(site)

    def page(place: str, template: str, **values: Any) -> None:
        file = to / place
        file.parent.mkdir(parents=True, exist_ok=True)
        root = "../" * place.count("/")
        text = environment.get_template(template).render(root=root, about=about, **values)
        file.write_text(text, encoding="utf-8")

    most_first = sorted(site.tables, key=lambda t: (-len(t.runs), -len(t.rows), t.title))
    tables = [words.listed(table, site.addresses[table.title]) for table in most_first]
    names = datasets_of(site.tables)
    page("index.html", "index.html", tables=tables, datasets=words.datasets(names))
    for table in site.tables:
        _write_table(site, table, to, page, answers_of(site.store, table, data))
    for name in names:
        found = overview(site.tables, name)
        page(
            f"overview/{address_of(name)}.html",
            "overview.html",
            **words.overview_values(found, site.addresses),
        )
    claims = words.claim_lines(site.claims, site.plugins, site.code)
    page("claims.html", "claims.html", claims=claims)
    for name, info in site.plugins.methods.items():
        rows = [(t, row) for t in site.tables for row in t.rows if row.method == name]
        page(
            f"methods/{address_of(name)}.html",
            "method.html",
            **words.method_values(info, rows, site.addresses, site.code),
        )
    page("methods/index.html", "methods.html", methods=words.methods(site.plugins))


def _write_table(
    site: Site, table: BoardTable, to: Path, page: Any, answers: list[dict[str, Any]]
) -> None:
    from leaderboard_app.shared.picture import as_file, interval_picture

    place = f"board/{site.addresses[table.title]}"
    view = view_of(table)
    values = words.table_values(table, place.rpartition("/")[2], site.plugins.methods)
    page(f"{place}.html", "board.html", answers=answers, **values)
    for form in ("csv", "json"):
        (to / f"{place}.{form}").write_text(render(view, form), encoding="utf-8")
    chart = interval_picture(table.rows[:_MOST_DRAWN], table.chance, width=460)
    if chart is not None:
        (to / f"{place}.svg").write_bytes(as_file(chart, "svg"))


def _about(site: Site) -> dict[str, str]:
    """What the footer says: when it was made, of which records and claims."""
    runs = sorted({one for table in site.tables for row in table.runs for one in row.run_ids})
    made_of = digest([runs, sorted(claim.model_dump_json() for claim in site.claims)])
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "hash": made_of[:16],
        "runs": f"{len(runs)} runs",
        "claims": f"{len(site.claims)} published numbers",
    }
