"""`harness claims list | check | import`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer

from harness.base.errors import DataError
from harness.claims import (
    ClaimProblem,
    PublishedClaim,
    check_claims,
    load_claims,
    load_code,
    own_claims_path,
    read_claims,
    write_claims,
)
from harness.claims.files import claim_files, claim_of, read_rows
from harness.claims.mapping import id_of, protocol_of
from harness.cli.output import emit, quoted, table
from harness.export import number
from harness.spec.plugins import Plugins, load_plugins

# Heads that a file of somebody else's may have, and ours.
_HEADS = {name.lower(): name for name in PublishedClaim.model_fields}
_ALSO = {"data set": "dataset", "params": "params_m", "flops": "flops_g", "url": "source_url"}


def list_command(
    method: str | None,
    dataset: str | None,
    protocol: str | None,
    tags: Sequence[str],
    plugin: Sequence[Path] | None,
    as_json: bool,
) -> None:
    """Print the claims that fit, best mAP first within a data set and protocol."""
    plugins = load_plugins(plugin or [])
    claims = [c for c in load_claims(plugins) if _fits(c, method, dataset, protocol, tags)]
    claims.sort(key=lambda c: (c.dataset, c.protocol, c.protocol_text, -(c.mAP or -1), c.id))
    shown = {c.method for c in claims}
    code = {name: one for name, one in load_code(plugins).items() if name in shown}
    if as_json:
        broken = [b._asdict() for b in plugins.broken]
        found = {name: one.model_dump(mode="json") for name, one in code.items()}
        dumped = [c.model_dump(mode="json") for c in claims]
        emit({"claims": dumped, "code": found, "broken": broken})
        return
    if not claims:
        print("no claims fit; harness claims list shows all")
        return
    columns = ["method", "data set", "protocol", "mAP", "R1", "R5", "R10", "tags", "source", ""]
    table(columns, [_row(c) for c in claims])
    conflicts = sum(bool(c.conflict) for c in claims)
    print(
        f"{len(claims)} claims, in percent as printed"
        + (f"; ! marks {conflicts} that another source contradicts" if conflicts else "")
    )
    if method is not None:
        for name, one in code.items():
            print(f"code of {name}: {one.words}")


def check_command(file: Path | None, plugin: Sequence[Path] | None, as_json: bool) -> None:
    """Print what is wrong; exit code 2 when anything is."""
    plugins = load_plugins(plugin or [])
    files = claim_files(plugins)
    problems, count = [], 0
    for path in [file] if file else files:
        others = [c for f in files if not _same_file(f, path) for c in _readable(f)]
        problems += check_claims(path, plugins.protocols, others)
        count += sum(1 for _ in read_rows(path))
    if as_json:
        emit({"ok": not problems, "claims": count, "problems": [p._asdict() for p in problems]})
    elif problems:
        _print(problems)
    else:
        print(f"{count} claims, nothing wrong")
    if problems:
        raise typer.Exit(2)


def import_command(
    file: Path, out: Path | None, plugin: Sequence[Path] | None, as_json: bool
) -> None:
    """Add the claims of a file to the user's own, all of them or, if one is wrong, none."""
    plugins = load_plugins(plugin or [])
    target = out or own_claims_path()
    mine = list(read_claims(target)) if target.exists() else []
    shipped = [c for f in claim_files() if not _same_file(f, target) for c in _readable(f)]
    known = {c.id: c for c in (*shipped, *mine)}
    added, same, problems = [], [], []
    for line, row in read_rows(file):
        claim = claim_of(_mapped(row, plugins, file))
        if not isinstance(claim, PublishedClaim):
            problems.append(ClaimProblem(str(file), line, row.get("id", ""), claim))
        elif claim.id not in known:
            known[claim.id] = claim
            added.append(claim)
        elif known[claim.id] == claim:
            same.append(claim.id)
        else:
            seen = "there is another claim under this id; give it an id of its own"
            problems.append(ClaimProblem(str(file), line, claim.id, seen))
    if not problems and added:
        write_claims(target, [*mine, *added])
    _report(target, [c.id for c in added] if not problems else [], same, problems, as_json)


def _report(
    target: Path,
    added: list[str],
    same: list[str],
    problems: list[ClaimProblem],
    as_json: bool,
) -> None:
    if as_json:
        shown: dict[str, Any] = {"file": str(target), "added": added, "known": same}
        emit({**shown, "problems": [p._asdict() for p in problems]})
    elif problems:
        _print(problems)
        print("nothing was added: mend these lines and import the file again")
    else:
        print(f"{len(added)} claims added to {target}, {len(same)} were there before")
        if target not in claim_files():
            print(f"next:\n  export HARNESS_CLAIMS={quoted(str(target))}")
    if problems:
        raise typer.Exit(2)


def _mapped(row: dict[str, str], plugins: Plugins, file: Path) -> dict[str, str]:
    """A row under our columns, with our names of what it says in its own words."""
    found: dict[str, str] = {}
    for head, value in row.items():
        name = _HEADS.get(head.lower()) or _ALSO.get(head.lower())
        if name is None:
            raise DataError(
                seen=f"{file} has a column {head!r}",
                expected=f"columns of: {', '.join(_HEADS.values())}",
                do="rename or remove it; docs/claims.md says what each holds",
            )
        found[name] = value
    words = found.get("protocol", "") or found.get("protocol_text", "")
    found.setdefault("protocol_text", "")
    found["protocol_text"] = found["protocol_text"] or words
    found["protocol"] = protocol_of(words, plugins.protocols)
    found["dataset"] = found.get("dataset", "").strip().lower()
    key = found.get("method", "").strip().lower()
    if not found.get("method_key") and key in plugins.methods:
        found["method_key"] = key
    if found.get("pretraining") and "pretraining:" not in found.get("tags", ""):
        tag = f"pretraining:{found['pretraining'].strip()}"
        found["tags"] = ";".join(t for t in (tag, found.get("tags", "")) if t)
    if not found.get("id"):
        found["id"] = id_of(found)
    return found


def _fits(
    claim: PublishedClaim,
    method: str | None,
    dataset: str | None,
    protocol: str | None,
    tags: Sequence[str],
) -> bool:
    return (
        (method is None or method.lower() in (claim.method.lower(), claim.method_key))
        and (dataset is None or claim.dataset == dataset.lower())
        and (protocol is None or protocol in (claim.protocol, claim.protocol_text))
        and all(tag in claim.tags for tag in tags)
    )


def _row(claim: PublishedClaim) -> list[str]:
    name = f"{claim.method} ({claim.variant})" if claim.variant else claim.method
    return [
        f"{name} {claim.year or ''}".strip(),
        claim.dataset,
        claim.protocol or claim.protocol_text,
        *(number(value) for value in (claim.mAP, claim.R1, claim.R5, claim.R10)),
        " ".join(t.removeprefix("pretraining:") for t in claim.tags),
        claim.source,
        "!" if claim.conflict else "",
    ]


def _readable(path: Path) -> list[PublishedClaim]:
    found = [claim_of(row) for _, row in read_rows(path)]
    return [claim for claim in found if isinstance(claim, PublishedClaim)]


def _same_file(one: Path, other: Path) -> bool:
    return one.resolve() == other.resolve()


def _print(problems: Sequence[ClaimProblem]) -> None:
    rows = [[p.file, str(p.line or ""), p.id, p.seen] for p in problems]
    table(["file", "line", "claim", "what is wrong"], rows)
