"""Where records are kept to be found again: SQLite or PostgreSQL, through SQLAlchemy Core."""

from harness.store.core import STORE_NAME, Store, open_store
from harness.store.rows import PerQueryValues, Stored, Summary, TrustEntry
from harness.store.tables import SCHEMA_VERSION

__all__ = [
    "SCHEMA_VERSION",
    "STORE_NAME",
    "PerQueryValues",
    "Store",
    "Stored",
    "Summary",
    "TrustEntry",
    "open_store",
]
