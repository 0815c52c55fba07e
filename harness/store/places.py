"""Where the files of a run are, kept so that a copied or moved store finds its own."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote_from_bytes, unquote_to_bytes

from harness.base.progress import say

_URL = "file://"
# A record names itself in its first lines; the whole may be a megabyte.
_HEAD = 4096
_ID = re.compile(rb'"run_id"\s*:\s*"([^"]*)"')

Find = Callable[[str, str], Path]
"""From a run's id and the text that a store keeps to the place of its `record.json`."""


class Places:
    """Where record files are, for one store.

    A path below the store's folder is kept relative to it, so that it goes where the store goes.
    Any other is kept whole; when the folder of the store or of this command holds the very run at
    the end of such a path, that one is meant: a store of before, or on a server, says where the
    files were when they were added.

    Args:
        file: The store's file, or None for a server, which has no folder.
        out: The --out folder of the command, where there is one.
    """

    def __init__(self, file: Path | None, out: Path | None = None) -> None:
        self.home = None if file is None else file.parent.resolve()
        self._homes = [] if file is None else [file.parent.absolute(), file.parent.resolve()]
        own = None if out is None else out.resolve()
        self._around = [f for f in dict.fromkeys((own, self.home)) if f is not None]

    def text_of(self, path: Path) -> str:
        """How the store keeps a path."""
        # Not resolved at first: a run's folder that is a link is below the store all the same.
        for place in (path.absolute(), path.resolve()):
            for home in self._homes:
                if place.is_relative_to(home) and ".." not in place.parts:
                    return path_text(place.relative_to(home))
        return path_text(path.resolve())

    def finder(self) -> Find:
        """What finds the places of many runs; folders are listed once."""
        listed = [(folder, _names(folder)) for folder in self._around]

        def find(run_id: str, text: str) -> Path:
            path = path_of(text)
            if not path.is_absolute():
                return path if self.home is None else self.home / path
            for folder, names in listed:
                for start, part in enumerate(path.parts[:-1]):
                    place = folder.joinpath(*path.parts[start:]) if part in names else path
                    if place != path and _is_of(place, run_id):
                        return place
            return path

        return find

    def elsewhere(self, path: Path) -> str:
        """The folder that a path does not lie under though its store does; else nothing."""
        folder = next(iter(self._around), None) if self.home is None else self.home
        if folder is None or path.resolve().is_relative_to(folder):
            return ""
        return str(folder)

    def say_read(self, path: Path) -> None:
        """Tell a person which folder a run is read from, by its record's path."""
        folder = self.elsewhere(path)
        kind = "the folder of its store" if self.home is not None else "--out"
        say(f"reading {path.parent}" + (f", which is not under {kind}, {folder}" if folder else ""))


def path_text(path: Path) -> str:
    """A path as a database keeps it: as it is, or as a URL where its bytes are no UTF-8."""
    text = str(path)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return _URL + quote_from_bytes(os.fsencode(text))
    return text


def path_of(text: str) -> Path:
    """The path that `path_text` kept."""
    if text.startswith(_URL):
        return Path(os.fsdecode(unquote_to_bytes(text.removeprefix(_URL))))
    return Path(text)


def _names(folder: Path) -> set[str]:
    try:
        return {place.name for place in folder.iterdir()}
    except OSError:
        return set()


def _is_of(path: Path, run_id: str) -> bool:
    """Whether a file is the record of a run, by what it says in its head."""
    try:
        with path.open("rb") as file:
            found = _ID.search(file.read(_HEAD))
    except OSError:
        return False
    return found is not None and found[1].decode("utf-8", "replace") == run_id
