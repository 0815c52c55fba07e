"""The recipes of installed methods, read once, to hold what a record says of its own against."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.base.errors import HarnessError
from harness.spec.changes import MODIFIED, base_named, changes
from harness.spec.method import MethodInfo
from harness.spec.recipe import Recipe
from harness.spec.resolve import recipe_files, resolve


class KnownRecipes:
    """Looks up the unchanged recipes of installed methods.

    What a record says of its recipe's track is a word that anybody can write, and records from
    before there was `modified` say `official` of changed recipes too. So it is found by the hash:
    official is what the method's own file says, to the last value.

    Args:
        infos: The installed methods by name.
    """

    def __init__(self, infos: Mapping[str, MethodInfo]) -> None:
        self._infos = infos
        self._files: dict[str, dict[str, Recipe]] = {}
        self._hashes: dict[tuple[str, str, str, str], str] = {}

    def track(
        self, said: str, method: str, recipe: str, recipe_hash: str, on: tuple[str, str]
    ) -> str:
        """The track of a run's recipe: what the record says where it holds, else `modified`.

        A method that is not installed is taken at its word: it has no paper here to be held to.

        Args:
            said: The record's word.
            method, recipe: Their names.
            recipe_hash: Of the recipe that was trained.
            on: The data set's label and the protocol's name, which the hash is over as well.
        """
        if method not in self._infos:
            return said
        known = self._of(method).get(recipe)
        if known is None:
            return MODIFIED if said == "official" else said
        return known.track if self._hash(method, known, on) == recipe_hash else MODIFIED

    def is_the_papers(
        self, method: str, dataset: str, recipe_hash: str, on: tuple[str, str]
    ) -> bool:
        """Whether a recipe is, unchanged, the official one that is named as this data set.

        Other official ones are a paper's ablations and settings: they are not its main number.
        """
        known = self._of(method).get(dataset) if method in self._infos else None
        if known is None or known.track != "official":
            return False
        return self._hash(method, known, on) == recipe_hash

    def changes(self, method: str, settings: Mapping[str, Any]) -> dict[str, Any] | None:
        """What a recipe has otherwise than the one it builds on; None where that is not known.

        Args:
            method: Its name.
            settings: The recipe as a record has it.
        """
        known = self._of(method) if method in self._infos else {}
        names = (base_named(str(settings.get("source", ""))), str(settings.get("name", "")))
        base = next((known[name] for name in names if name in known), None)
        return None if base is None else changes(base, settings)

    def _of(self, method: str) -> dict[str, Recipe]:
        """The recipes of a method, by their file's name and by the name they give themselves."""
        if method not in self._files:
            info, found = self._infos[method], {}
            for name in recipe_files(info):
                try:
                    recipe = resolve(info, name, "any", "any").recipe
                except HarnessError:
                    # A file that is damaged is nobody's recipe; `harness show recipe` says why.
                    continue
                found[name] = recipe
                found.setdefault(recipe.name, recipe)
            self._files[method] = found
        return self._files[method]

    def _hash(self, method: str, recipe: Recipe, on: tuple[str, str]) -> str:
        key = (method, recipe.name, *on)
        if key not in self._hashes:
            dataset, protocol = on
            whole = {**recipe.dumped(), "dataset": dataset, "protocol": protocol}
            self._hashes[key] = Recipe.model_validate(whole).hash
        return self._hashes[key]
