"""Plans of tables: which methods, on which data, under which protocols, and what a paper claims."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from harness.base.errors import PlanError, nearest
from harness.spec.recipe import read_toml

Metric = Literal["mAP", "R1", "R5", "R10", "mINP"]
Track = Literal["official", "common", "smoke"]
TRACKS: tuple[str, ...] = get_args(Track)

_Plan = TypeVar("_Plan", bound=BaseModel)

Percent = Annotated[float, Field(ge=0, le=100)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Column(_Part):
    """One group of columns: a data set under a protocol.

    Attributes:
        name: What the rows call it.
        title: What the table calls it.
        dataset: The data set that the claims are about, by its card's name.
        protocol: The protocol of the claims, or the one that comes nearest.
        protocol_of_claims: False where it is not known to be the claimed one, so that a claim is
            never set against a number of ours; `note` says why.
        note: What a reader must know of it.
    """

    name: str = Field(min_length=1)
    title: str = ""
    dataset: str
    protocol: str = "full"
    protocol_of_claims: bool = True
    note: str = ""


class Claimed(_Part):
    """What a paper prints for one row and column, in percent.

    Attributes:
        source: Where it was read; the plan's where empty.
        estimated: Measured off a picture instead of read off a table.
    """

    mAP: Percent | None = None
    R1: Percent | None = None
    R5: Percent | None = None
    R10: Percent | None = None
    mINP: Percent | None = None
    source: str = ""
    estimated: bool = False


class Recipes(_Part):
    """The recipe of each track.

    Attributes:
        official: The one named as the data set where empty.
        by_column: Official ones of single columns, by the column's name.
    """

    official: str = ""
    common: str = "common"
    smoke: str = "smoke"
    by_column: dict[str, str] = Field(default_factory=dict)

    def of(self, track: str, column: Column) -> str:
        """The name of a track's recipe for a column."""
        if track == "official":
            return self.by_column.get(column.name) or self.official or column.dataset
        named: str = getattr(self, track)
        return named


class Row(_Part):
    """One method as it is trained for this table.

    Attributes:
        set: Changes to the recipe of every track, as after `--set`.
        columns: The columns it stands in; all where empty.
        claims: By the name of the column.
    """

    label: str = Field(min_length=1)
    method: str
    set: tuple[str, ...] = ()
    recipes: Recipes = Recipes()
    columns: tuple[str, ...] = ()
    claims: dict[str, Claimed] = Field(default_factory=dict)


class TablePlan(_Part):
    """A table, whole.

    Attributes:
        source: Where its claims were read.
        metrics: What it shows, in this order.
        figure: What `--figure` draws.
        notes: Sentences below it.
    """

    title: str
    source: str = ""
    metrics: tuple[Metric, ...] = ("mAP", "R1", "R5", "R10")
    figure: Literal["bars", "tsne"] = "bars"
    notes: tuple[str, ...] = ()
    columns: tuple[Column, ...] = Field(min_length=1)
    rows: tuple[Row, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _names_fit(self) -> TablePlan:
        names = [c.name for c in self.columns]
        _each_once("column", names)
        _each_once("row", [r.label for r in self.rows])
        _each_once("metric", self.metrics)
        for row in self.rows:
            for name in (*row.columns, *row.claims, *row.recipes.by_column):
                if name not in names:
                    near = nearest(name, names)
                    hint = f"; did you mean {near!r}?" if near else ""
                    raise ValueError(
                        f"the row {row.label!r} names the column {name!r}, and the plan has "
                        f"{', '.join(names)}{hint}"
                    )
        return self

    def rows_of(self, column: Column) -> list[Row]:
        """The rows that stand in a column."""
        return [r for r in self.rows if not r.columns or column.name in r.columns]


def _each_once(what: str, names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ValueError(f"the {what} {name!r} is there twice")
        seen.add(name)


def read_plan(path: Path) -> TablePlan:
    """Read a plan.

    Raises:
        PlanError: No such file, not TOML, an unknown key (with the nearest) or a refused value.
    """
    return read_checked(
        path,
        TablePlan,
        _model_at,
        "a plan of a table",
        missing=("the name of one: harness list tables", "docs/add-a-method.md shows a plan"),
    )


def read_checked(
    path: Path,
    model: type[_Plan],
    model_at: Callable[[tuple[int | str, ...]], type[BaseModel]],
    what: str,
    missing: tuple[str, str],
) -> _Plan:
    """A TOML file as a model.

    Args:
        path: The file.
        model: Of the whole.
        model_at: The part whose key an error of pydantic is about, by the error's place.
        what: The file's kind, for messages.
        missing: Of a file that is not there: what might have been meant, and where one is shown.

    Raises:
        PlanError: As for `read_plan`.
    """
    try:
        return model.model_validate(read_toml(path))
    except FileNotFoundError as error:
        raise PlanError(
            seen=f"there is no file {path}",
            expected=f"{what} in TOML, or {missing[0]}",
            do=f"check the path; {missing[1]}",
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PlanError(
            seen=f"{path} is not TOML: {error}",
            expected=f"{what} in TOML",
            do="mend the line the message names",
        ) from error
    except ValidationError as error:
        raise _refused(path, error, model_at) from error


def _refused(
    path: Path,
    error: ValidationError,
    model_at: Callable[[tuple[int | str, ...]], type[BaseModel]],
) -> PlanError:
    # A misspelt key shows up twice, as unknown and as missing; the first says more.
    first = min(error.errors(), key=lambda e: e["type"] != "extra_forbidden")
    place = first["loc"]
    key = "".join(f"[{p + 1}]" if isinstance(p, int) else f".{p}" for p in place).lstrip(".")
    if first["type"] == "extra_forbidden":
        known = sorted(model_at(place).model_fields)
        near = nearest(str(place[-1]), known)
        return PlanError(
            seen=f"{path}: unknown key {key}",
            expected=f"one of: {', '.join(known)}",
            do=f"did you mean {near!r}?" if near else "take it out",
        )
    missing = first["type"] == "missing"
    value = first["input"]
    shown = f" = {value!r}" if key and isinstance(value, str | int | float | bool) else ""
    return PlanError(
        seen=f"{path}: no {key}" if missing else f"{path}: {key or 'the plan'}{shown}",
        expected=first["msg"].removeprefix("Value error, "),
        do="add it" if missing else f"mend {key or 'what it names'}",
    )


def _model_at(place: tuple[int | str, ...]) -> type[BaseModel]:
    """The part of a plan whose key an error is about."""
    words: list[Any] = [p for p in place[:-1] if isinstance(p, str)]
    match words:
        case ["columns"]:
            return Column
        case ["rows"]:
            return Row
        case ["rows", "recipes"]:
            return Recipes
        case ["rows", "claims", _]:
            return Claimed
    return TablePlan


def plan_files(folders: Iterable[Path]) -> dict[str, Path]:
    """Every plan in these folders, by name; the first of a name stays."""
    found: dict[str, Path] = {}
    for folder in folders:
        for path in sorted(folder.glob("*.toml")):
            found.setdefault(path.stem, path)
    return found
