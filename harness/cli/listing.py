"""`harness list` and `harness show`: what is there, without torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from harness.base.errors import UnknownNameError
from harness.cli.listing_protocols import (
    collapsed,
    print_protocol,
    protocol_rows,
    whole_protocol,
)
from harness.cli.named_runs import opened
from harness.cli.output import emit, fields, table
from harness.export import number
from harness.spec.changes import as_computed
from harness.spec.dataset import load_card
from harness.spec.method import MethodInfo
from harness.spec.plugins import Plugins, load_plugins
from harness.spec.resolve import recipe_files, resolve

Rows = list[dict[str, Any]]


def list_command(
    kind: str, method: str | None, out: Path, plugin: Sequence[Path] | None, as_json: bool
) -> None:
    """Print one kind of thing as a table; broken plugins below it."""
    plugins = load_plugins(plugin or [])
    listers: dict[str, Callable[[], Rows]] = {
        "methods": lambda: [_method_row(m) for m in plugins.methods.values()],
        "datasets": lambda: _dataset_rows(plugins),
        "protocols": lambda: protocol_rows(plugins),
        "recipes": lambda: _recipe_rows(plugins, method),
        "tables": lambda: _table_rows(plugins),
        "runs": lambda: _run_rows(plugins, out),
    }
    if kind not in listers:
        raise UnknownNameError("kind", kind, listers)
    rows = listers[kind]()
    shown = collapsed(rows) if kind == "protocols" else _in_brief(rows)
    broken = [b._asdict() for b in plugins.broken]
    if as_json:
        emit({kind: rows, "broken": broken})
        return
    if shown:
        table(list(shown[0]), [[_cell(v) for v in row.values()] for row in shown])
    else:
        print(f"no {kind} yet")
    for one in broken:
        print(f"broken: {one['source']}\n  {one['error']}")


def show_command(
    kind: str,
    name: str,
    method: str,
    out: Path,
    plugin: Sequence[Path] | None,
    as_json: bool,
) -> None:
    """Print one thing whole."""
    plugins = load_plugins(plugin or [])
    showers: dict[str, Callable[[], dict[str, Any]]] = {
        "method": lambda: _whole_method(plugins.method(name)),
        "dataset": lambda: load_card(plugins.dataset(name).card).model_dump(mode="json"),
        "protocol": lambda: whole_protocol(plugins, name),
        "recipe": lambda: _whole_recipe(plugins.method(method), name),
        "run": lambda: _whole_run(name, out),
    }
    if kind not in showers:
        raise UnknownNameError("kind", kind, showers)
    found = showers[kind]()
    if as_json:
        emit(found)
        return
    if kind == "protocol":
        print_protocol(found)
        return
    if kind == "recipe":
        found = as_computed(found)
    if kind == "run":
        found |= {"recipe": as_computed(found["recipe"])}
        found = {k: v for k, v in found.items() if k not in ("per_query", "cmc", "training")}
    fields(_flat(found))


def _method_row(info: MethodInfo) -> dict[str, Any]:
    return {
        "method": info.name,
        "title": info.title,
        "venue": f"{info.venue} {info.year or ''}".strip(),
        "modalities": "+".join(info.modalities),
        "missing": info.missing,
        "recipes": ", ".join(sorted(recipe_files(info))),
    }


def _dataset_rows(plugins: Plugins) -> Rows:
    rows = []
    for info in plugins.datasets.values():
        card = load_card(info.card)
        sizes = [str(card.counts[s].samples) if s in card.counts else "–" for s in card.folders]
        rows.append(
            {
                "dataset": card.name,
                "kind": card.kind,
                "train / query / gallery": " / ".join(sizes),
                "filter": card.filter,
                "licence": card.licence,
            }
        )
    return rows


def _recipe_rows(plugins: Plugins, method: str | None) -> Rows:
    methods = [plugins.method(method)] if method else list(plugins.methods.values())
    return [
        {"method": info.name, "recipe": name, "file": str(path)}
        for info in methods
        for name, path in recipe_files(info).items()
    ]


def _table_rows(plugins: Plugins) -> Rows:
    # Tables need the store as well.
    from harness.cli.table import table_rows

    return table_rows(plugins)


def _run_rows(plugins: Plugins, out: Path) -> Rows:
    # The store needs SQLAlchemy; the other lists answer without it.
    from harness.board.names import Names

    names = Names(plugins.methods)
    return [
        {
            "run": s.run_id,
            "name": names.of_run(s),
            "method": s.method,
            "dataset": s.dataset,
            "protocol": s.protocol,
            "recipe": s.recipe,
            "track": names.track(s),
            "seed": s.seed,
            "mAP": number(s.metrics["mAP"]),
            "trust": str(s.trust),
            "created": s.created[:16],
        }
        for s in opened(out).summaries()
    ]


def _in_brief(rows: Rows) -> Rows:
    """Without what the name of a run says already."""
    said = ("method", "recipe", "track") if rows and "name" in rows[0] else ()
    return [{k: v for k, v in row.items() if k not in said} for row in rows]


def _whole_method(info: MethodInfo) -> dict[str, Any]:
    found = info.model_dump(mode="json", exclude={"config", "recipes"})
    found["config"] = {n: f.default for n, f in info.config.model_fields.items()}
    found["recipes"] = sorted(recipe_files(info))
    return found


def _whole_recipe(info: MethodInfo, name: str) -> dict[str, Any]:
    recipe = resolve(info, name, "any", "any").recipe
    return recipe.model_dump(mode="json", exclude={"dataset", "protocol"})


def _whole_run(name: str, out: Path) -> dict[str, Any]:
    from harness.evidence.record import read_record
    from harness.store import open_store

    folder = Path(name)
    if (folder / "record.json").is_file():
        return read_record(folder / "record.json").model_dump(mode="json")
    store = open_store(out)
    stored = store.get(name)
    store.places.say_read(stored.path)
    about = {"path": str(stored.path), "trust": str(stored.trust)}
    return about | stored.record.model_dump(mode="json")


def _flat(data: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in data.items():
        if isinstance(value, dict) and value:
            found |= _flat(value, f"{prefix}{key}.")
        else:
            found[prefix + key] = _cell(value)
    return found


def _cell(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return str(value).rstrip("\n")
