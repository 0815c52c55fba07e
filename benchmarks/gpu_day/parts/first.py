"""The first runs ever on a GPU: the main job exact and fast, found again, verified, reproduced."""

from __future__ import annotations

import shutil
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
    record_of,
    short,
    step,
    tell,
)

NAME = "first"
FOLDER = WORK / "first"
MODES = ("exact", "fast")


def options(runs: Path, where: str) -> list[object]:
    """Words at the end of every command."""
    return ["--device", where, "--out", runs, "--json"]


def trained(mode: str, always: list[object], value: dict[str, Any]) -> str | None:
    """The main job in a mode; its run's name, or None where it failed."""
    quick = changed(*QUICK, *(["epochs=1"] if TINY else []))
    found = harness("run", "--method", "ieee", "--mode", mode, *quick, *always, seconds=240)
    value |= short(found)
    tell(
        f"harness run --method ieee --mode {mode}: code {found['code']}, {found['seconds']} s "
        f"{found['warnings']}"
    )
    if found["code"] != 0:
        tell(found["end"])
        value["status"] = "failed"
        return None
    record = record_of(found)
    value |= {
        "metrics": record["metrics"],
        "numerics": record["environment"].get("numerics"),
        "steps": record["environment"].get("steps"),
        "environment": {k: v for k, v in record["environment"].items() if k != "packages"},
        "cost": record["cost"],
        "training": record["training"],
        "hashes": hashes(record),
    }
    tell(f"  mAP {record['metrics']['mAP']:.2f}, numerics {value['numerics']}")
    return str(found["json"]["run_id"])


def looked_at(mode: str, run: str, always: list[object]) -> None:
    """The same run found again, verified, and scored under other protocols."""
    quick = changed(*QUICK, *(["epochs=1"] if TINY else []))
    with step(NAME, f"{mode} again") as value:
        found = harness("run", "--method", "ieee", "--mode", mode, *quick, *always)
        value.update(short(found) | {"cached": (found["json"] or {}).get("cached")})
    with step(NAME, f"verify {mode}") as value:
        found = harness("verify", run, "--out", always[-2], "--json")
        value.update(short(found) | {"answer": found["json"]})
    with step(NAME, f"evaluate {mode}") as value:
        words = ["--run", run, "--protocol", "RGB>TI", "--protocol", "-NI"]
        found = harness("evaluate", *words, "--protocol", "corrupt-mixed", "--rerank", *always)
        value.update(short(found) | {"answer": found["json"]})
        tell(f"  {mode}: evaluated, code {found['code']}, {found['seconds']} s")


def main() -> None:
    """Both modes; what follows on from a run, for the first that worked."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    always = options(FOLDER / "runs", device())
    runs = {}
    for mode in MODES:
        with step(NAME, mode) as value:
            run = trained(mode, always, value)
            if run is not None:
                runs[mode] = run
    for mode, run in list(runs.items())[:1]:
        looked_at(mode, run, always)
    if "exact" in runs:
        with step(NAME, "reproduce exact") as value:
            found = harness("reproduce", runs["exact"], *always)
            answer = found["json"] or {}
            value.update(
                short(found) | {k: answer.get(k) for k in ("tolerance", "identical", "other")}
            )
            tell(f"harness reproduce: code {found['code']}, {value}"[:600])


if __name__ == "__main__":
    main()
