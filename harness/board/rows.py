"""Rows and tables of the leaderboard, and what is needed to make them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Literal, NamedTuple, Protocol

from harness.evidence.trust import Trust
from harness.store import PerQueryValues

PerQuery = Callable[[Iterable[str]], Mapping[str, PerQueryValues]]
"""Each query's outcome by run id, such as `Store.per_query`; ids it does not know are left out."""


OF_RUN = "@"
"""Between a run's id and what else it was scored under, in the id of such numbers."""


class Claimed(Protocol):
    """What a table needs of a published number (`harness.claims.PublishedClaim` has it)."""

    @property
    def id(self) -> str: ...  # noqa: D102
    @property
    def method(self) -> str: ...  # noqa: D102
    @property
    def method_key(self) -> str: ...  # noqa: D102
    @property
    def variant(self) -> str: ...  # noqa: D102
    @property
    def year(self) -> int | None: ...  # noqa: D102
    @property
    def venue(self) -> str: ...  # noqa: D102
    @property
    def backbone(self) -> str: ...  # noqa: D102
    @property
    def dataset(self) -> str: ...  # noqa: D102
    @property
    def protocol(self) -> str: ...  # noqa: D102
    @property
    def params_m(self) -> float | None: ...  # noqa: D102
    @property
    def flops_g(self) -> float | None: ...  # noqa: D102
    @property
    def pretraining(self) -> str: ...  # noqa: D102
    @property
    def tags(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def source(self) -> str: ...  # noqa: D102
    @property
    def source_url(self) -> str: ...  # noqa: D102
    @property
    def conflict(self) -> str: ...  # noqa: D102


class BoardRow(NamedTuple):
    """All seeds of one recipe and code, or one published claim; metrics in percent."""

    kind: Literal["run", "claim"]
    key: str
    """Stable and unique within its table: from the hashes of recipe and code, or the claim's id."""
    title: str
    """What it is called in print: the method and what tells this row from others of the table."""
    method: str
    """The registered name; empty for a claim of a method that we do not have."""
    year: int | None
    venue: str
    backbone: str
    recipe: str
    track: str
    """official only where the recipe is the method's own, unchanged (`KnownRecipes.track`)."""
    seeds: tuple[int, ...]
    run_ids: tuple[str, ...]
    """In the order of the seeds."""
    metrics: dict[str, float]
    """Means over seeds; a claim has only those that are printed."""
    spread: dict[str, float] | None
    """Standard deviations over seeds; None for one run."""
    intervals: dict[str, tuple[float, float] | None]
    """Of one run; of several seeds, `rank_table` adds them."""
    rank: tuple[int, int] | None
    """Best and worst rank that the comparisons leave open; None until `rank_table`, and for what
    cannot be compared: claims, and runs without identities of their queries."""
    tie_group: int | None
    trust: Trust
    """The lowest of its runs."""
    selection: str
    tags: tuple[str, ...]
    pretraining: str
    parameters: int | None
    gflops: float | None
    descriptor: int | None
    source: str
    source_url: str
    conflict: str
    """The group of claims it contradicts; empty where it contradicts none."""
    created: str
    """Of the newest run; empty for a claim."""
    sweeps: tuple[str, ...] = ()
    """The sweeps that made its runs."""
    family: str = ""
    """The method alone, as it is called in print."""
    variant: str = ""
    """What it has otherwise than the method's own recipe or main claim; empty where nothing."""
    code_hash: str = ""
    """Of the code that trained it; empty for a claim."""
    scored: tuple[str, ...] = ()
    """Of runs that were scored under this protocol after another one's training: the ids under
    which their queries' outcomes are known. Empty for runs under their own protocol."""

    @property
    def outcome_ids(self) -> tuple[str, ...]:
        """What to ask for the queries' outcomes by, one for each of `run_ids`."""
        return self.scored or self.run_ids


class BoardTable(NamedTuple):
    """Runs that may be compared: the same data, byte by byte, under the same protocol.

    A table of claims only, which nobody has run here, has empty hashes and no chance level.
    """

    dataset: str
    data_hash: str
    protocol: str
    protocol_hash: str
    chance: dict[str, float]
    queries: int
    valid_queries: int
    resolution: float | None
    """Points of mAP below which the rows' paired intervals contain zero, as a median over pairs;
    None until `rank_table` and where there are no two rows to judge by."""
    rows: tuple[BoardRow, ...]
    """Best mAP first; equal ones by key."""

    @property
    def title(self) -> str:
        """Data set and protocol, with the hashes that make the table one table."""
        if not self.data_hash:
            return f"{self.dataset} · {self.protocol} (published numbers only)"
        return (
            f"{self.dataset} · {self.protocol} "
            f"(data {self.data_hash[:8]}, protocol {self.protocol_hash[:8]})"
        )

    @property
    def runs(self) -> tuple[BoardRow, ...]:
        """The rows that are runs."""
        return tuple(row for row in self.rows if row.kind == "run")
