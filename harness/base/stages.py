"""Stages of a run: each is keyed by the hash of its inputs and skipped when it is done."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.base.errors import RunBusyError
from harness.base.files import write_json
from harness.base.hashing import digest
from harness.base.lease import HeldError, Holder, holder_of, lease
from harness.base.parallel import is_main, on_main
from harness.base.progress import say
from harness.base.refused import hold


class Stages:
    """The done stages of one run folder, kept in `stages.json`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._file = folder / "stages.json"

    def run(
        self,
        name: str,
        inputs: Mapping[str, Any],
        outputs: Sequence[str],
        work: Callable[[], None],
    ) -> bool:
        """Do the work unless it is done for these very inputs; True when it was done now.

        Of several processes the main one decides and keeps the books; all do the work.

        Args:
            name: The stage, such as "train".
            inputs: JSON-ready; everything that decides the outputs.
            outputs: File names in the run folder that the work writes, each whole or not at all.
        """
        if on_main(lambda: self._is_done(name, inputs)):
            return False
        work()
        on_main(lambda: self._keep(name, inputs, outputs))
        return True

    def _is_done(self, name: str, inputs: Mapping[str, Any]) -> bool:
        key = digest(dict(inputs))
        done = self._read().get(name)
        if done and done["key"] == key and self._whole(done["sizes"]):
            say(f"{name}: done before with the same inputs ({key[:8]}), skipped")
            return True
        if done:
            why = self._why(done, inputs, key)
            say(f"{name}: {why}, running again")
        return False

    def _keep(self, name: str, inputs: Mapping[str, Any], outputs: Sequence[str]) -> None:
        sizes = {file: (self.folder / file).stat().st_size for file in outputs}
        done = {"key": digest(dict(inputs)), "inputs": dict(inputs), "sizes": sizes}
        write_json(self._file, self._read() | {name: done})

    def _why(self, done: Mapping[str, Any], inputs: Mapping[str, Any], key: str) -> str:
        if done["key"] == key:
            return "an output is missing or was cut short"
        changed = [k for k, v in inputs.items() if done["inputs"].get(k) != v]
        return f"changed since: {', '.join(changed) or 'an input'}"

    def _whole(self, sizes: Mapping[str, int]) -> bool:
        paths = {self.folder / file: size for file, size in sizes.items()}
        return all(p.is_file() and p.stat().st_size == size for p, size in paths.items())

    def _read(self) -> dict[str, Any]:
        try:
            found = json.loads(self._file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}


@contextlib.contextmanager
def only_one(lock: Path) -> Iterator[None]:
    """Hold a run for this process; the system lets go of it when the process ends in any way.

    Beside the system's lock, which some network disks do not pass on to other machines, there is
    a lease (`harness.base.lease`). Of several processes that do it together the main one holds it.
    Where the file system knows no locks, the lease alone is held, and a line says so.

    Raises:
        RunBusyError: Another process holds it.
    """
    if not is_main():
        yield
        return
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as file:
        try:
            hold(file, lock)
        except BlockingIOError as error:
            raise _busy(lock, holder_of(lock)) from error
        with contextlib.ExitStack() as stack:
            try:
                stack.enter_context(lease(lock))
            except HeldError as error:
                raise _busy(lock, error.holder) from error
            yield


def _busy(lock: Path, holder: Holder | None) -> RunBusyError:
    return RunBusyError(
        seen=f"another process is working on the run at {lock.with_suffix('')}"
        + (f": {holder}" if holder else ""),
        expected="one process for one recipe and seed",
        do="wait for it, or give another --seed or --out",
    )
