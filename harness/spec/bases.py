"""Recipe files that build on others: `base = "NAME"`, and only what differs."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.base.errors import RecipeError, nearest
from harness.spec.recipe import read_toml, shared_recipes

BASE = "base"

# A recipe's own name is not what it is built on.
_NOT_INHERITED = ("name",)


def read_recipe(path: Path, files: Mapping[str, Path], method: str) -> dict[str, Any]:
    """A recipe file as plain data, with everything its bases say put under it.

    Sections are merged key by key, the later file first; lists and values are replaced. What comes
    back has no `base` any more: a recipe that builds on another is the recipe that writes the same
    values out, down to its hash.

    Args:
        path: The file.
        files: Every recipe a base may name: those of the method and the shared ones. A recipe that
            names its own name means the shared one it stands in front of.
        method: Whose recipes these are.

    Raises:
        RecipeError: No such file, not TOML, a base that does not exist, or bases in a circle.
    """
    data: dict[str, Any] = {}
    seen: list[Path] = []
    place: Path | None = path
    while place is not None:
        seen.append(place)
        found = _read(place, files, method)
        named = found.pop(BASE, None)
        data = merged({k: v for k, v in found.items() if not data or k not in _NOT_INHERITED}, data)
        place = None if named is None else _base(named, place, files, seen)
    data.setdefault("name", path.stem)
    return data


def built_on(recipe: str, files: Mapping[str, Path], method: str) -> str | None:
    """The recipe of the method that this word means, or that its file builds on; None for neither.

    Args:
        recipe: A name in `files`, or the path of a TOML file that `read_recipe` has read.
        files, method: As for `read_recipe`.
    """
    if recipe in files:
        return recipe
    own = {path.resolve(): name for name, path in files.items()}
    found = own.get(Path(recipe).resolve())
    return found or _read(Path(recipe), files, method).get(BASE)


def merged(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Both, `over` winning; tables in both are merged in the same way."""
    found = dict(under)
    for key, value in over.items():
        below = found.get(key)
        if isinstance(value, Mapping) and isinstance(below, Mapping):
            found[key] = merged(below, value)
        else:
            found[key] = value
    return found


def _base(named: Any, at: Path, files: Mapping[str, Path], seen: list[Path]) -> Path:
    chosen = files.get(named) if isinstance(named, str) else None
    if chosen == at:
        # The method's own recipe stands in front of the shared one of the same name.
        shared = shared_recipes() / at.name
        chosen = shared if shared.is_file() else at
    if chosen is None:
        near = nearest(named, files) if isinstance(named, str) else None
        raise RecipeError(
            seen=f"{at}: {BASE} = {named!r}, and there is no such recipe",
            expected=f"another recipe of the method, or a shared one: {', '.join(sorted(files))}",
            do=f"did you mean {near!r}?" if near else f"mend the line that begins with {BASE}",
        )
    if chosen in seen:
        circle = " -> ".join(p.stem for p in (*seen[seen.index(chosen) :], chosen))
        raise RecipeError(
            seen=f"{at}: {BASE} = {named!r} closes a circle: {circle}",
            expected="a chain of bases that ends in a recipe without one",
            do=f"take {BASE} out of one of them",
        )
    return chosen


def _read(path: Path, files: Mapping[str, Path], method: str) -> dict[str, Any]:
    try:
        return read_toml(path)
    except FileNotFoundError as error:
        raise RecipeError(
            seen=f"there is no recipe file {path}",
            expected=f"a TOML file, or one of the names: {', '.join(files)}",
            do=f"harness list recipes --method {method}",
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RecipeError(
            seen=f"{path} is not TOML: {error}",
            expected="a recipe in TOML",
            do="mend the line the message names",
        ) from error
