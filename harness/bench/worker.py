"""A process of its own for one side of a comparison, which works when it is told to.

Two programs that call themselves by the same package name cannot share a process, and only a
process has a peak of memory. The process stays, so that each round finds it as warm as the other.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Self

from harness.base.errors import HarnessError

_MIB = 1024


class Reply(NamedTuple):
    """What came of one round.

    Attributes:
        seconds: On the clock of the worker, so that the pipe is not in it.
        value: What the work returned; something JSON can hold.
        peak_mib: Most resident memory of the process during the round.
        start_mib: Resident memory just before it.
    """

    seconds: float
    value: Any
    peak_mib: float
    start_mib: float


class Worker:
    """A running worker; a context manager that ends it.

    Args:
        target: "package.module:function". Called once with `arguments`; what it returns is
            called in every round, with that round's arguments.
        arguments: JSON can hold them.
        threads: Of torch, OpenMP and BLAS alike.
        root: Where the process stands, so that it can import what lies there.
    """

    def __init__(
        self, target: str, arguments: Mapping[str, Any], *, threads: int, root: Path
    ) -> None:
        self.target = target
        self._said = tempfile.TemporaryFile("w+")  # noqa: SIM115 (closed with the worker)
        names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
        # Threads that sleep at once, as tests want them, made loading three times as slow.
        inherited = {k: v for k, v in os.environ.items() if k != "OMP_WAIT_POLICY"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "harness.bench.worker", target, json.dumps(arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            text=True,
            cwd=root,
            env={**inherited, **dict.fromkeys(names, str(threads))},
        )
        self.ready: Any = self._answer()["value"]
        """What the prepared work says of itself (its attribute `about`), if anything."""

    def run(self, **arguments: Any) -> Reply:
        """One round.

        Raises:
            HarnessError: The work failed, or the process died, as when memory ran out.
        """
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps(arguments) + "\n")
            self._process.stdin.flush()
        return Reply(**self._answer())

    def seconds(self) -> float:
        """One round without arguments, as a task of `interleaved`."""
        return self.run().seconds

    def __enter__(self) -> Self:
        """For a `with` block."""
        return self

    def __exit__(self, *_: object) -> None:
        """At the end of the block, whatever happened in it."""
        self.close()

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()
        self._said.close()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        answer: dict[str, Any] = json.loads(line) if line else {}
        if "error" in answer or not line:
            code = self._process.wait() if not line else None
            self._said.seek(0)
            told = self._said.read().strip().splitlines()[-1:]
            why = answer.get("error") or f"ended with {code}: {' '.join(told) or 'no word'}"
            self.close()
            raise HarnessError(
                seen=f"{self.target} failed: {why}",
                expected="work that can be done again and again",
                do="see what it says when it is called alone, or leave this peer out",
            )
        return answer


def main() -> None:
    """The other end: prepare, then one round for every line of standard input."""
    target, arguments = sys.argv[1], json.loads(sys.argv[2])
    # What peers print goes to standard error, or it would be taken for an answer.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    sys.path.insert(0, str(Path.cwd()))

    def tell(answer: Mapping[str, Any]) -> None:
        answers.write(json.dumps(answer) + "\n")
        answers.flush()

    try:
        module, _, name = target.partition(":")
        work = getattr(importlib.import_module(module), name)(**arguments)
        tell({"value": getattr(work, "about", None)})
        for line in sys.stdin:
            tell(_round(work, json.loads(line)))
    except Exception as error:
        traceback.print_exc()
        tell({"error": f"{type(error).__name__}: {error}"})


def _round(work: Callable[..., Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    _forget_peak()
    start_mib = _memory("VmRSS")
    started = time.perf_counter()
    value = work(**arguments)
    seconds = time.perf_counter() - started
    peak = _memory("VmHWM")
    return {"seconds": seconds, "value": value, "peak_mib": peak, "start_mib": start_mib}


def _memory(field: str) -> float:
    """MiB of a line of /proc/self/status; not a number where there is none."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
        return int(next(one for one in lines if one.startswith(field)).split()[1]) / _MIB
    except (OSError, StopIteration):
        return float("nan")


def _forget_peak() -> None:
    # 5 sets the peak back to what is resident now (proc(5)).
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


if __name__ == "__main__":
    main()
