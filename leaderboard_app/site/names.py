"""Addresses of the pages of a site: plain letters, and the same each time it is written."""

from __future__ import annotations

import re
from collections.abc import Sequence

from harness.board import BoardTable


def address_of(name: str) -> str:
    """A name as a part of an address: `missing-ni` of `-NI`, `rgb-to-ti` of `RGB>TI`."""
    missing = "missing " if name.startswith("-") else ""
    words = missing + name.lower().replace(">", " to ").replace("+", " and ")
    return re.sub(r"[^a-z0-9]+", "-", words).strip("-") or "unnamed"


def table_addresses(tables: Sequence[BoardTable]) -> dict[str, str]:
    """`DATASET/PROTOCOL` of every table by its title, with its hashes where several share names."""
    plain = {t.title: f"{address_of(t.dataset)}/{address_of(t.protocol)}" for t in tables}
    counts: dict[str, int] = {}
    for address in plain.values():
        counts[address] = counts.get(address, 0) + 1
    return {
        t.title: plain[t.title]
        if counts[plain[t.title]] == 1
        else f"{plain[t.title]}-{t.data_hash[:8]}-{t.protocol_hash[:8]}"
        for t in tables
    }
