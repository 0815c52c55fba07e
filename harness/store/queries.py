"""What is asked of a store's tables, in stores of before as well."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Select, inspect, literal, select

from harness.store.rows import Summary
from harness.store.tables import ABOUT, RECORDS, RUNS, SWEEPS, TRUST


def whole_runs() -> Select[Any]:
    """Id, path, record and trust of every run, oldest first."""
    query = select(RUNS.c.run_id, RUNS.c.path, RECORDS.c.record, TRUST.c.trust)
    query = query.join(RECORDS, RECORDS.c.run_id == RUNS.c.run_id)
    query = query.outerjoin(TRUST, TRUST.c.run_id == RUNS.c.run_id)
    return query.order_by(RUNS.c.created, RUNS.c.run_id)


def has_settings(connection: Connection) -> bool:
    """Whether the index has the recipes; one of schema 2, on a disk that is read-only, has not."""
    return connection.execute(select(ABOUT.c.schema_version)).scalar() != 2


def summaries(
    connection: Connection, settings: bool, dataset: str | None, protocol: str | None
) -> Select[Any]:
    """The columns of `Summary` in order, oldest first.

    Args:
        connection: To see which tables there are.
        settings: Whether the index has them; without, the whole record stands in their place.
        dataset: Only runs on the data set of this label.
        protocol: Only runs under the protocol of this name.
    """
    swept = inspect(connection).has_table(SWEEPS.name)
    elsewhere = {
        "settings": RUNS.c.settings if settings else RECORDS.c.record.label("settings"),
        "trust": TRUST.c.trust,
        "sweep": SWEEPS.c.sweep if swept else literal("").label("sweep"),
    }
    columns = [elsewhere[n] if n in elsewhere else RUNS.c[n] for n in Summary._fields]
    query = select(*columns).outerjoin_from(RUNS, TRUST, TRUST.c.run_id == RUNS.c.run_id)
    if not settings:
        query = query.join(RECORDS, RECORDS.c.run_id == RUNS.c.run_id)
    if swept:
        query = query.outerjoin(SWEEPS, SWEEPS.c.run_id == RUNS.c.run_id)
    if dataset is not None:
        query = query.where(RUNS.c.dataset == dataset)
    if protocol is not None:
        query = query.where(RUNS.c.protocol == protocol)
    return query.order_by(RUNS.c.created, RUNS.c.run_id)
