"""The numbers that papers print, with their sources: kept apart from records, and never ranked."""

from harness.claims.check import ClaimProblem, check_claims
from harness.claims.code import PublicCode, load_code
from harness.claims.files import (
    COLUMNS,
    load_claims,
    own_claims_path,
    read_claims,
    write_claims,
)
from harness.claims.model import PublishedClaim

__all__ = [
    "COLUMNS",
    "ClaimProblem",
    "PublicCode",
    "PublishedClaim",
    "check_claims",
    "load_claims",
    "load_code",
    "own_claims_path",
    "read_claims",
    "write_claims",
]
