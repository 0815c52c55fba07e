"""The tables of a store, schema 3, for SQLite and PostgreSQL alike."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Double, ForeignKey, MetaData, Table, Text

SCHEMA_VERSION = 3

META = MetaData()

ABOUT = Table(
    "about",
    META,
    Column("schema_version", BigInteger, primary_key=True, autoincrement=False),
    # Two stores never have the same stamp, even when one takes the other's place.
    Column("store_id", Text, nullable=False),
    Column("revision", BigInteger, nullable=False),
)
"""One row. `revision` grows with every change, so that a reader sees cheaply that there was one."""

RECORDS = Table(
    "records",
    META,
    Column("run_id", Text, primary_key=True),
    Column("record", Text, nullable=False),
)
"""The records as they are. A table of its own: reading 5,000 summaries must not step over them."""

RUNS = Table(
    "runs",
    META,
    Column("run_id", Text, ForeignKey("records.run_id"), primary_key=True),
    Column("created", Text, nullable=False),
    Column("method", Text, nullable=False),
    Column("dataset", Text, nullable=False),
    Column("data_hash", Text, nullable=False),
    Column("protocol", Text, nullable=False),
    Column("protocol_hash", Text, nullable=False),
    Column("recipe", Text, nullable=False),
    Column("recipe_hash", Text, nullable=False),
    Column("track", Text, nullable=False),
    Column("settings", Text, nullable=False),
    Column("seed", BigInteger, nullable=False),
    Column("selection", Text, nullable=False),
    Column("metrics", Text, nullable=False),
    Column("intervals", Text, nullable=False),
    Column("chance", Text, nullable=False),
    Column("queries", BigInteger, nullable=False),
    Column("valid_queries", BigInteger, nullable=False),
    Column("parameters", BigInteger),
    Column("gflops", Double),
    Column("descriptor", BigInteger),
    Column("latency_ms", Double),
    Column("training_seconds", Double),
    Column("device", Text, nullable=False),
    Column("code_hash", Text, nullable=False),
    Column("pretrained", Text, nullable=False),
    Column("missing_policy", Text, nullable=False),
    Column("path", Text, nullable=False),
)
"""The index: a `Summary` of each record, made from it and from nothing else but its path.

A path below the store's own folder is relative to it; schema 2 kept every path whole.
"""

SWEEPS = Table(
    "sweeps",
    META,
    Column("run_id", Text, primary_key=True),
    Column("sweep", Text, nullable=False),
)
"""Which sweep made a run. A table of its own, made when the first such run comes: a store from
before there were sweeps is of the same schema, and an older harness reads one that has it."""

TRUST = Table(
    "trust",
    META,
    Column("run_id", Text, ForeignKey("records.run_id"), primary_key=True),
    Column("trust", Text, nullable=False),
    Column("checked", Text, nullable=False),
    Column("when", Text, nullable=False),
)
"""What checks came to. Written by the harness's own checks only; no file brings it in."""
