"""Plans of sweeps: a TOML file in which a list in place of a word multiplies."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from harness.evidence.record import require_sweep_name
from harness.runs.plan import DEFAULT_SEED
from harness.tables.plan import read_checked


def _listed(value: Any) -> Any:
    """A word is a list of one."""
    return [value] if isinstance(value, str) else value


Word = Annotated[str, Field(min_length=1)]
Words = Annotated[tuple[Word, ...], BeforeValidator(_listed), Field(min_length=1)]
Seeds = Annotated[tuple[Annotated[int, Field(ge=0, lt=2**63)], ...], Field(min_length=1)]


class Wanted(NamedTuple):
    """One run as a plan asks for it, in the words of `harness run`."""

    method: str
    dataset: str | None
    protocol: str | None
    recipe: str | None
    changes: tuple[str, ...]
    seed: int

    def __str__(self) -> str:
        """For a list of what is wrong."""
        words = [self.method, self.dataset or "synthetic", self.protocol or "", self.recipe or ""]
        return " ".join([*filter(None, words), *self.changes, f"seed {self.seed}"])


class Keys(BaseModel):
    """What may be said of every run, or of some.

    Attributes:
        method, dataset, protocol, recipe: As the options of `harness run`; a list multiplies.
        set: Changes of the recipe, all of them for each run.
        seeds: Each is a run.
        grid: Changes of which each run takes one of each list.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    method: Words | None = None
    dataset: Words | None = None
    protocol: Words | None = None
    recipe: Words | None = None
    set: tuple[Word, ...] = ()
    seeds: Seeds | None = None
    grid: dict[str, Words] = Field(default_factory=dict)


class SweepPlan(Keys):
    """A sweep, whole; its own keys are the defaults of all runs.

    Attributes:
        name: What its folder and its records are called by; the file's name where empty.
    """

    name: str = ""
    runs: tuple[Keys, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _every_run_has_a_method(self) -> SweepPlan:
        for number, keys in enumerate(self.runs, 1):
            if keys.method is None and self.method is None:
                raise ValueError(f"a method for each [[runs]]; number {number} has none")
        return self

    def wanted(self, seeds: Sequence[int] | None = None) -> list[Wanted]:
        """Every run, each once, in the plan's order.

        Args:
            seeds: Instead of the plan's.
        """
        found: dict[Wanted, None] = {}
        for keys in self.runs:
            found |= dict.fromkeys(_multiplied(self, keys, seeds))
        return list(found)


def _multiplied(default: Keys, keys: Keys, seeds: Sequence[int] | None) -> list[Wanted]:
    """The runs of one `[[runs]]`: its keys go before the defaults, its changes come after them."""
    grid = {**default.grid, **keys.grid}
    return [
        Wanted(method, dataset, protocol, recipe, (*default.set, *keys.set, *chosen), seed)
        for method, dataset, protocol, recipe, chosen, seed in product(
            keys.method or default.method or (),
            keys.dataset or default.dataset or (None,),
            keys.protocol or default.protocol or (None,),
            keys.recipe or default.recipe or (None,),
            list(product(*grid.values())),
            seeds or keys.seeds or default.seeds or (DEFAULT_SEED,),
        )
    ]


def read_sweep(path: Path) -> SweepPlan:
    """Read a plan; without a name it has that of its file.

    Raises:
        PlanError: No such file, not TOML, an unknown key (with the nearest) or a refused value.
    """
    plan = read_checked(
        path,
        SweepPlan,
        lambda place: Keys if place[:1] == ("runs",) else SweepPlan,
        "a plan of a sweep",
        missing=("the name of a table: harness list tables", "docs/clusters.md shows a plan"),
    )
    name = require_sweep_name(plan.name or path.stem)
    return plan.model_copy(update={"name": name})
