"""Holding a claims file against its schema, for `harness claims check` and for our tests."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import NamedTuple

from harness.claims.files import claim_of, read_rows
from harness.claims.model import PublishedClaim


class ClaimProblem(NamedTuple):
    """One thing that is wrong with a claims file."""

    file: str
    line: int
    """0 where it is of no one line."""
    id: str
    seen: str


def check_claims(
    path: Path,
    protocols: Collection[str] | None = None,
    beside: Iterable[PublishedClaim] = (),
) -> list[ClaimProblem]:
    """Everything that is wrong with the claims of a file.

    Args:
        path: The CSV file.
        protocols: The names a protocol may have; None leaves them unchecked.
        beside: Other claims in use, whose ids are taken and whose conflicts these may join.

    Raises:
        DataError: The file cannot be read as a CSV.
    """
    problems, claims, taken = [], [], {c.id for c in beside}
    for line, row in read_rows(path):
        claim = claim_of(row)
        if not isinstance(claim, PublishedClaim):
            problems.append(ClaimProblem(str(path), line, row.get("id", ""), claim))
            continue
        if claim.id in taken:
            problems.append(ClaimProblem(str(path), line, claim.id, "the id is taken"))
        if protocols is not None and claim.protocol and claim.protocol not in protocols:
            seen = f"there is no protocol {claim.protocol!r}; leave it empty where none means it"
            problems.append(ClaimProblem(str(path), line, claim.id, seen))
        taken.add(claim.id)
        claims.append(claim)
    problems += _conflicts(path, claims, beside)
    return problems


def differ(one: PublishedClaim, other: PublishedClaim) -> bool:
    """Whether two claims print different numbers, beyond rounding to the coarser one's digits."""
    mine, theirs = one.numbers, other.numbers
    for name in mine.keys() & theirs.keys():
        digits = sorted((_digits(mine[name]), _digits(theirs[name])))
        apart = abs(mine[name] - theirs[name])
        # Some round and some cut, so that the last digit of the coarser may be off by one.
        if apart >= (1.01 * 10 ** -digits[0] if digits[0] < digits[1] else 1e-9):
            return True
    return False


def _conflicts(
    path: Path, claims: Iterable[PublishedClaim], beside: Iterable[PublishedClaim]
) -> Iterable[ClaimProblem]:
    groups: dict[str, list[PublishedClaim]] = defaultdict(list)
    mine = {c.conflict for c in claims if c.conflict}
    for claim in (*beside, *claims):
        if claim.conflict:
            groups[claim.conflict].append(claim)
    for name in sorted(mine):
        members = groups[name]
        if not any(differ(a, b) for i, a in enumerate(members) for b in members[:i]):
            seen = f"the conflict {name!r} has no two claims with different numbers"
            yield ClaimProblem(str(path), 0, members[0].id, seen)


def _digits(value: float) -> int:
    # Every table prints one at least; a file of numbers does not show a zero at the end.
    return max(1, len(f"{value:.6f}".rstrip("0").partition(".")[2]))
