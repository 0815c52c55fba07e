"""What all parts share: where results go, how much time is left, the device, the command line.

Every part writes after each of its steps, so that what was measured survives the end of the time.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

TINY = os.environ.get("GPU_DAY_TINY") == "1"
"""Sizes that mean nothing, for a try on a CPU."""
NUMBER = os.environ.get("GPU_DAY_NUMBER", "0")
KIT = Path(os.environ.get("GPU_DAY_KIT") or ".gpu_day").resolve()
"""What `prepare.sh` made."""
OUT = Path(os.environ.get("OUT") or "gpu_day_out").resolve()
WORK = Path(os.environ.get("GPU_DAY_WORK") or Path(tempfile.gettempdir()) / "gpu_day")
PATIENCE = float(os.environ.get("PATIENCE") or 1)
DEADLINE = float(os.environ.get("GPU_DAY_DEADLINE") or "inf")
RESULTS, REPORT = OUT / f"results_{NUMBER}.json", OUT / f"report_{NUMBER}.txt"
QUICK = ("backbone=resnet18", "input.height=64", "input.width=32") if TINY else ()
"""Changes of a recipe of IEEE that make a run on a CPU short."""
METHODS = (
    *("ieee", "timm", "hc", "ddag", "mpanet", "pfnet"),
    *("hamnet", "unicat", "osnet", "mlfn", "hacnn"),
)
"""In the order of how much depends on them; what the project lists beside these comes last."""
SAID = (
    r"(\w+) does not have a deterministic implementation",
    r"((?:Flash|Memory Efficient) [Aa]ttention defaults to a non-determ\w+)",
    r"(skipping cudagraphs[^\n]{0,120})",
    r"(hit config\.recompile_limit[^\n]{0,60})",
    r"(it cannot be compiled[^\n]{0,200})",
)
"""Words of torch and of the harness that a report should show."""


def left() -> float:
    """Seconds until this command has to be done."""
    return DEADLINE - time.time()


def device() -> str:
    """`cuda`, or `cpu` where there is none and sizes are tiny."""
    import torch

    if torch.cuda.is_available():
        return "cuda"
    if not TINY:
        raise SystemExit("no GPU that torch can use; on a CPU only with --tiny")
    return "cpu"


def threads() -> int:
    """For torch on the CPU: all cores, or one where the machine is shared."""
    return 1 if TINY else len(os.sched_getaffinity(0))


def finish(where: str) -> None:
    """Wait for the device."""
    import torch

    if where == "cuda":
        torch.cuda.synchronize()


def keep(section: str, value: Any) -> None:
    """Put a section into the results, under whatever is there of it already."""
    OUT.mkdir(parents=True, exist_ok=True)
    WORK.mkdir(parents=True, exist_ok=True)
    # Parts that time nothing run side by side.
    with (WORK / "results.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        found = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
        old = found.get(section)
        if isinstance(old, dict) and isinstance(value, dict):
            value = {**old, **value}
        found[section] = value
        fresh = RESULTS.with_suffix(".new")
        fresh.write_text(json.dumps(found, indent=1, default=str))
        fresh.replace(RESULTS)


def tell(*lines: object) -> None:
    """Say something here and in the report."""
    OUT.mkdir(parents=True, exist_ok=True)
    text = "\n".join(str(line) for line in lines)
    print(text, flush=True)
    with REPORT.open("a") as file:
        file.write(text + "\n")


class NotReached(Exception):
    """There was less time left than a step needs."""


@contextlib.contextmanager
def step(section: str, name: str) -> Iterator[dict[str, Any]]:
    """One step of a part: its seconds and what went wrong are kept; the next one goes on.

    Gives a dict to fill. A body that asks `require` for more time than is left ends there.
    """
    value: dict[str, Any] = {}
    started = time.time()
    try:
        yield value
        status = {"status": value.pop("status", "ok")}
    except NotReached as why:
        status = {"status": "not reached"}
        tell(f"  [{section}/{name}] not reached: {why}")
    except Exception as error:
        traceback.print_exc()
        status = {"status": "error", "error": f"{type(error).__name__}: {str(error)[:600]}"}
        tell(f"  [{section}/{name}] ERROR {status['error'][:300]}")
    keep(section, {name: {**status, "seconds": round(time.time() - started, 1), **value}})


def require(seconds: float) -> None:
    """End the step here (NotReached) if less time is left."""
    if left() < seconds:
        raise NotReached(f"{left():.0f} s left, {seconds:.0f} wanted")


def finished(command: Sequence[str], seconds: float, log: Path) -> tuple[int | str, str]:
    """Run a command for at most so long, times $PATIENCE: its exit code and its output.

    The code is "out of time" where it had to be ended. What it says on standard error goes to the
    log.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w") as said:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=said, text=True)
        try:
            out, _ = process.communicate(timeout=max(1, min(seconds * PATIENCE, left() - 3)))
            return process.returncode, out
        except subprocess.TimeoutExpired:
            process.kill()
            out, _ = process.communicate()
            return "out of time", out


def harness(*words: object, seconds: float = 300) -> dict[str, Any]:
    """The project's command line: exit code, the JSON it printed, seconds, the end of its words."""
    log = WORK / "log" / f"{time.time_ns()}.txt"
    started = time.time()
    code, out = finished([sys.executable, "-m", "harness.cli", *map(str, words)], seconds, log)
    try:
        answer = json.loads(out)
    except ValueError:
        answer = None
    text = log.read_text(errors="replace")
    # With --json an error goes to standard output, as JSON.
    end = text[-600:] + (out[-600:] if answer and "error" in answer else "")
    return {
        "command": "harness " + " ".join(map(str, words)),
        "code": code,
        "seconds": round(time.time() - started, 1),
        "json": answer,
        "log": text,
        "end": end if code != 0 else "",
        "warnings": warned(text),
    }


def short(answer: dict[str, Any]) -> dict[str, Any]:
    """What is kept of an answer of `harness` in any case."""
    return {k: answer[k] for k in ("command", "code", "seconds", "warnings", "end")}


def warned(text: str) -> list[str]:
    """Operations of which torch says that they do not add in the same order twice, and the like."""
    return sorted({found for pattern in SAID for found in re.findall(pattern, text)})


def record_of(answer: dict[str, Any]) -> dict[str, Any]:
    """The record of a run that `harness run --json` answered."""
    if not (answer["json"] or {}).get("record"):
        raise RuntimeError(f"no record: code {answer['code']}: {answer['end'][-300:]}")
    found: dict[str, Any] = json.loads(Path(answer["json"]["record"]).read_text())
    return found


def hashes(record: dict[str, Any]) -> dict[str, str]:
    """What has to be the same, bit by bit, of two runs that are the same."""
    return {name: record["evidence"][name]["sha256"][:16] for name in ("weights", "features")}


def changed(*changes: str) -> list[str]:
    """Changes of a recipe as words of the command line."""
    return [word for change in changes for word in ("--set", change)]


def methods() -> list[str]:
    """All that the project knows by name, those above first."""
    from harness.spec.plugins import load_plugins

    there = list(load_plugins().methods)
    return [m for m in METHODS if m in there] + [m for m in there if m not in METHODS]


if __name__ == "__main__":
    # From run.sh: how a part ended.
    name, code, seconds = sys.argv[1:4]
    words = {"0": "done", "124": "ended: its time was up", "137": "ended: its time was up"}
    keep("parts", {name: {"code": int(code), "seconds": int(seconds)}})
    tell(f"== {name}: {words.get(code, f'failed with {code}')}, {seconds} s")
