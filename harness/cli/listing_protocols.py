"""Protocols as `harness list` and `harness show` print them."""

from __future__ import annotations

from collections import Counter
from typing import Any

from harness.base.errors import ProtocolError
from harness.cli.output import table
from harness.spec.dataset import load_card
from harness.spec.plugins import Plugins
from harness.spec.protocol import removed_in_words

Rows = list[dict[str, Any]]

# A group of more protocols than this is one line of the table for people.
_LARGE = 50


def protocol_rows(plugins: Plugins) -> Rows:
    """A row for each protocol."""
    return [
        {
            "protocol": p.name,
            "version": p.version,
            "train": "+".join(p.train_modalities),
            "query": "+".join(p.query_modalities),
            "gallery": "+".join(p.gallery_modalities),
            "group": ", ".join(p.groups),
            "title": p.title,
            "used by": "; ".join(p.used_by),
        }
        for p in plugins.protocols.values()
    ]


def collapsed(rows: Rows) -> Rows:
    """The rows without version, and with one line in place of each large group."""
    sizes = Counter(row["group"] for row in rows)
    shown, seen = [], set()
    for row in rows:
        group = row["group"]
        line = {k: v for k, v in row.items() if k != "version"}
        if sizes[group] > _LARGE and group:
            if group in seen:
                continue
            seen.add(group)
            names = dict.fromkeys(
                r["protocol"].rpartition("-")[0] for r in rows if r["group"] == group
            )
            line["protocol"] = row["protocol"].partition("-")[0] + "-KIND-1 to -5"
            kinds = [n.partition("-")[2] for n in names]
            line["title"] = f"{sizes[group]} protocols; KIND is one of {', '.join(kinds)}"
        shown.append(line)
    return shown


def whole_protocol(plugins: Plugins, name: str) -> dict[str, Any]:
    """A protocol with its words and, for each data set, its hash there."""
    protocol = plugins.protocol(name)
    found = protocol.model_dump(mode="json")
    found["in words"] = protocol.in_words()
    for info in plugins.datasets.values():
        card = load_card(info.card)
        try:
            bound = protocol.bind(card)
        except ProtocolError as error:
            found[f"on {card.name}"] = {"does not apply": error.seen}
            continue
        found[f"on {card.name}"] = {
            "hash": bound.hash,
            "filter": bound.filter,
            "in words": " ".join(bound.in_words()),
        }
    return found


def print_protocol(whole: dict[str, Any]) -> None:
    """What `whole_protocol` gives, for people."""
    print(f"{whole['name']}  version {whole['version']}: {whole['title']}\n")
    for sentence in whole["in words"]:
        print(f"  {sentence}")
    print(f"\nused by: {'; '.join(whole['used_by']) or 'nobody yet'}")
    if whole["groups"]:
        print(f"group:   {', '.join(whole['groups'])} (harness evaluate --protocol GROUP)")
    rows = []
    for key, there in whole.items():
        if not key.startswith("on "):
            continue
        if "hash" in there:
            rows.append([key[3:], there["hash"][:12], removed_in_words(there["filter"])])
        else:
            rows.append([key[3:], "–", there["does not apply"].partition(": ")[2]])
    table(
        ["data set", "hash", "removed from the gallery for each query, or why it does not apply"],
        rows,
    )
