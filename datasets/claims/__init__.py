"""The numbers that papers print on these data sets; `docs/claims.md` says what is in the file."""

from __future__ import annotations

from pathlib import Path

PUBLISHED = Path(__file__).with_name("published.csv")
"""A claims file, as `harness.claims` reads it."""
