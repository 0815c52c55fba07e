"""From a method's name and the options of a command to one resolved recipe."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from pydantic import BaseModel, ValidationError

from harness.base.errors import RecipeError, UnknownNameError
from harness.base.numbers import LARGEST, unkept
from harness.spec.bases import built_on, read_recipe
from harness.spec.changes import MODIFIED, NOT_SET, changed_source, changes, value_of
from harness.spec.method import MethodInfo
from harness.spec.recipe import Recipe, shared_recipes

_Model = TypeVar("_Model", bound=BaseModel)

# One recipe for all methods is only that if no method can bring its own.
_ONLY_SHARED = {"common"}


class Resolved(NamedTuple):
    """A recipe with nothing left open, and the method's own options as their model."""

    recipe: Recipe
    config: BaseModel


def recipe_files(info: MethodInfo) -> dict[str, Path]:
    """Every recipe this method has, by name; its own go before the shared ones."""
    files = {p.stem: p for p in sorted(shared_recipes().glob("*.toml"))}
    if info.recipes is not None:
        own = {p.stem: p for p in sorted(info.recipes.glob("*.toml"))}
        files |= {name: path for name, path in own.items() if name not in _ONLY_SHARED}
    return files


def default_recipe(info: MethodInfo, dataset: str, embedded: bool) -> str:
    """`smoke` on the embedded data, the recipe named as the data set if any, else `common`."""
    if embedded:
        return "smoke"
    return dataset if dataset in recipe_files(info) else "common"


def resolve(
    info: MethodInfo,
    recipe: str,
    dataset: str,
    protocol: str,
    changes: Iterable[str] = (),
) -> Resolved:
    """Read a recipe with its bases, apply `key=value` changes and check everything.

    A recipe that trains otherwise than the one of the method that it is, or builds on, is
    `modified`, and its source says what was changed: only the method's own files are `official`.

    Args:
        info: The method.
        recipe: A recipe's name, or the path of a TOML file.
        dataset: The label of the data set that is open.
        protocol: The protocol's name.
        changes: As after `--set`: dotted keys, values in TOML (a bare word is a string).

    Raises:
        UnknownNameError: No such recipe or key; says the nearest.
        RecipeError: A file that is not TOML, bases that do not fit, or a refused value.
    """
    files, asked = recipe_files(info), list(changes)
    data = _read(info, recipe)
    for change in asked:
        _apply(data, change, info)
    resolved = _settled(info, data, dataset, protocol)
    base = built_on(recipe, files, info.name)
    if base != recipe or asked:
        before = _settled(info, _read(info, base or recipe), dataset, protocol).recipe
        said = _what_it_is(resolved.recipe, before, base, recipe)
        resolved = _settled(info, {**data, **said}, dataset, protocol)
    _require_kept(resolved.recipe)
    return resolved


def from_record(info: MethodInfo, data: Mapping[str, Any], changes: Iterable[str] = ()) -> Resolved:
    """A recipe as it was written into a record or a weights file, with changes of `--set`.

    Raises:
        UnknownNameError: No such key; says the nearest.
        RecipeError: A refused value.
    """
    whole = deepcopy(dict(data))
    for change in changes:
        _apply(whole, change, info)
    config = _checked(info.config, whole.get("config", {}), info, prefix="config.")
    return Resolved(_checked(Recipe, whole, info, prefix=""), config)


def _settled(info: MethodInfo, data: Mapping[str, Any], dataset: str, protocol: str) -> Resolved:
    config = _checked(info.config, data.get("config", {}), info, prefix="config.")
    whole = {**data, "method": info.name, "dataset": dataset, "protocol": protocol}
    whole["config"] = config.model_dump(mode="json")
    return Resolved(_checked(Recipe, whole, info, prefix=""), config)


def _what_it_is(recipe: Recipe, before: Recipe, base: str | None, word: str) -> dict[str, str]:
    """Track and source of a recipe that was changed, or is none of the method's own.

    Args:
        recipe: It.
        before: The method's recipe that it is or builds on, or else its file without changes.
        base: The name of that recipe; None for a file that builds on none.
        word: As the recipe was asked for.
    """
    same = Recipe.model_validate({**recipe.dumped(), "track": before.track}).hash == before.hash
    name = base or Path(word).name
    if not same:
        source = changed_source(name, changes(before, recipe.dumped()))
        return {"track": MODIFIED, "source": source}
    if base is not None:
        return {"track": before.track, "source": before.source}
    return {
        "track": MODIFIED,
        "source": ": ".join(filter(None, [f"the file {name}", before.source])),
    }


def _require_kept(recipe: Recipe) -> None:
    found = unkept(recipe.dumped())
    if found is not None:
        key, value = found
        text = isinstance(value, str)
        raise RecipeError(
            seen=f"{key} = {str(value)[:80]!a}",
            expected="text in UTF-8, which a record can keep"
            if text
            else f"a finite number, of whole ones at most {LARGEST}",
            do="rename the file or folder in plain letters"
            if text
            else f"give --set {key}=VALUE another value",
        )


def _read(info: MethodInfo, recipe: str) -> dict[str, Any]:
    files = recipe_files(info)
    path = Path(recipe) if recipe.endswith(".toml") else files.get(recipe)
    if path is None:
        raise UnknownNameError(f"recipe of {info.name}", recipe, files)
    data = read_recipe(path, files, info.name)
    if info.input_size is not None:
        # The network is made for one size, so a recipe for all methods gives way to it here.
        height, width = info.input_size
        data["input"] = {**data.get("input", {}), "height": height, "width": width}
    if recipe in _ONLY_SHARED:
        data["config"] = {**info.common_config, **data.get("config", {})}
    return data


def _apply(data: dict[str, Any], change: str, info: MethodInfo) -> None:
    key, equals, text = change.partition("=")
    if not equals or not key:
        raise RecipeError(
            seen=f"--set {change}",
            expected="key=value, such as --set optimiser.lr=0.01",
            do="write the key, an equals sign and the value without spaces",
        )
    if key in NOT_SET:
        raise RecipeError(
            seen=f"--set {change}",
            expected=f"a key of the training; {key} says what the recipe is",
            do=NOT_SET[key],
        )
    known = known_keys(info)
    if key not in known:
        # People write the option without its section; one that fits only one place is meant.
        fits = [k for k in known if k.rpartition(".")[2] == key]
        if len(fits) != 1:
            raise _unknown_key(key, info)
        key = fits[0]
    *sections, last = key.split(".")
    place = data
    for section in sections:
        place = place.setdefault(section, {})
    place[last] = value_of(text)


def known_keys(info: MethodInfo) -> list[str]:
    """Every dotted key a recipe of this method may have."""
    keys = _keys(Recipe)
    settings = [k for k in keys if k != "config" and k not in NOT_SET]
    return settings + _keys(info.config, "config.")


def _keys(model: type[BaseModel], prefix: str = "") -> list[str]:
    found: list[str] = []
    for name, info in model.model_fields.items():
        inner = info.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            found += _keys(inner, f"{prefix}{name}.")
        else:
            found.append(prefix + name)
    return found


def _unknown_key(key: str, info: MethodInfo) -> UnknownNameError:
    known = known_keys(info)
    error = UnknownNameError("recipe key", key, known)
    if error.nearest is None:
        # A typo in the last word alone is far from the whole dotted key.
        short = {k.rpartition(".")[2]: k for k in known}
        near = UnknownNameError("recipe key", key.rpartition(".")[2], short).nearest
        if near:
            error.do = f"did you mean {short[near]!r}?"
    return error


def _checked(model: type[_Model], data: Mapping[str, Any], info: MethodInfo, prefix: str) -> _Model:
    try:
        return model.model_validate(data)
    except ValidationError as error:
        # A misspelt key shows up twice, as unknown and as missing; the first says more.
        first = min(error.errors(), key=lambda e: e["type"] != "extra_forbidden")
        key = prefix + ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            raise _unknown_key(key, info) from error
        if not first["loc"]:  # values that are allowed each, but not together
            raise RecipeError(
                seen=f"{prefix.rstrip('.') or 'recipe'}: {first['msg']}",
                expected="values that fit each other",
                do="change one of them with `--set KEY=VALUE`",
            ) from error
        raise RecipeError(
            seen=f"{key} = {first['input']!r}" if first["type"] != "missing" else f"no {key}",
            expected=first["msg"],
            do=f"mend the recipe, or give --set {key}=VALUE",
        ) from error
