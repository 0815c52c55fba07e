"""A run that is killed and started again, beside one that was not: the same hashes?"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.gpu_day.parts.common import (
    QUICK,
    TINY,
    WORK,
    changed,
    device,
    harness,
    hashes,
    left,
    record_of,
    require,
    step,
    tell,
)

NAME = "resume"


def words(mode: str, where: str, out: Path) -> list[str]:
    """Of a run of some epochs."""
    changes = changed("epochs=4" if TINY else "epochs=8", *QUICK)
    return [
        *("run", "--method", "ieee", "--recipe", "smoke", "--mode", mode, *changes),
        *("--device", where, "--out", str(out), "--json"),
    ]


def killed(mode: str, where: str, out: Path, seconds: float) -> dict[str, Any]:
    """Kill it as soon as a checkpoint lies there."""
    command = [sys.executable, "-m", "harness.cli", *words(mode, where, out)]
    until = time.time() + min(seconds, left() - 10)
    log = WORK / "log" / f"killed-{mode}.txt"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w") as said:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=said)
        try:
            while time.time() < until and process.poll() is None:
                if list(out.rglob("checkpoint.safetensors")):
                    return {"killed": True, "by": "a checkpoint was there"}
                time.sleep(0.02)
            ended = process.poll()
            by = "time" if ended is None else f"it had ended: {ended}"
            return {"killed": ended is None, "by": by}
        finally:
            process.kill()
            process.wait()


def check(mode: str, where: str, value: dict[str, Any]) -> None:
    """Hold a run that was cut off against a whole one."""
    out = WORK / "resume" / mode
    whole = harness(*words(mode, where, out / "whole"), seconds=200)
    value["killing"] = killed(mode, where, out / "cut", 200)
    again = harness(*words(mode, where, out / "cut"), seconds=200)
    value["went_on"] = [line for line in again["log"].splitlines() if "going on after" in line]
    value["codes"] = [whole["code"], again["code"]]
    value["ends"] = [whole["end"], again["end"]]
    found = [hashes(record_of(answer)) for answer in (whole, again)]
    value |= {"identical": found[0] == found[1], "hashes": found}
    tell(
        f"  {mode}: killed ({value['killing']['by']}), {value['went_on'] or 'began anew'}, "
        f"identical to the whole run: {value['identical']}"
        + (" (fast promises no bits)" if mode == "fast" else "")
    )


def main() -> None:
    """Exact, then fast."""
    where = device()
    shutil.rmtree(WORK / "resume", ignore_errors=True)
    for mode in ("exact", "fast"):
        with step(NAME, mode) as value:
            require(60)
            check(mode, where, value)


if __name__ == "__main__":
    main()
