"""The paper's 61 epochs of IEEE on a drawn set of RGBNT201's size: time and mAP.

usage: training fast|exact SECONDS. A training whose time is up is ended; what its epochs took
is kept, and on the same machine the next call goes on where it was.
"""

from __future__ import annotations

import re
import statistics
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.gpu_day.parts.common import (
    QUICK,
    TINY,
    WORK,
    changed,
    device,
    harness,
    keep,
    left,
    record_of,
    require,
    short,
    step,
    tell,
)
from benchmarks.gpu_day.parts.watch import Watch

NAME = "training"
EPOCHS = 3 if TINY else 61
_SHOWN = (
    *("code", "seconds", "seconds_per_epoch", "ms_per_step", "images_per_s"),
    *("seconds_for_all_epochs", "metrics", "warnings", "watch", "went_on"),
)


class Epoch(NamedTuple):
    """One line of the log."""

    number: int
    steps: int
    seconds: float


def draw(folder: Path) -> dict[str, Any]:
    """The set, once on a machine."""
    started = time.time()
    if not folder.exists():
        scale = ["--scale", "small"] if TINY else []
        found = harness("data", "synthesize", "--like", "rgbnt201", *scale, "--out", folder)
        if found["code"] != 0:
            raise RuntimeError(found["end"])
    return {"seconds": round(time.time() - started, 1)}


def epochs_of(log: str) -> list[Epoch]:
    """Those that a run's log tells of."""
    found = re.findall(r"epoch\s+(\d+)/\d+ .*? (\d+) steps in ([\d.]+) s", log)
    return [Epoch(int(number), int(steps), float(seconds)) for number, steps, seconds in found]


def pace(epochs: list[Epoch]) -> dict[str, Any]:
    """What an epoch and a step took, and what all would take."""
    typical = statistics.median(epoch.seconds for epoch in epochs)
    steps = epochs[-1].steps
    return {
        "seconds_per_epoch": typical,
        "ms_per_step": round(1e3 * typical / steps, 3),
        "images_per_s": round(3 * 8 * steps / max(typical, 1e-3), 1),
        "seconds_for_all_epochs": round(EPOCHS * typical, 1),
        "first_epoch_seconds": epochs[0].seconds,
    }


def outcome(record: dict[str, Any]) -> dict[str, Any]:
    """What a finished run says."""
    named = ("metrics", "chance", "intervals", "cost")
    return {
        **{name: record[name] for name in named},
        "numerics": record["environment"].get("numerics"),
        "steps": record["environment"].get("steps"),
        "losses": [row["losses"] for row in record["training"]],
    }


def train(mode: str, seconds: float, drawn: Path, value: dict[str, Any]) -> None:
    """Train, and say how far it came."""
    quick = [*QUICK, "epochs=3"] if TINY else []
    words = ["run", "--method", "ieee", "--recipe", "rgbnt201", "--dataset", drawn, "--mode", mode]
    words += [*changed("pretrained=none", *quick), "--device", device()]
    with Watch(1.0) as watch:
        found = harness(
            *words, "--out", WORK / "trained", "--json", seconds=min(seconds, left() - 5)
        )
    epochs = epochs_of(found["log"])
    value |= short(found) | {"epochs": epochs, "watch": watch.found, "device": device()}
    value["went_on"] = [line for line in found["log"].splitlines() if "going on after" in line]
    if epochs:
        value |= pace(epochs)
    if found["code"] == 0:
        value |= outcome(record_of(found))
        keep(NAME, {f"{mode} mAP": value["metrics"]["mAP"]})
    else:
        value["status"] = "not finished"
    shown = [f"  {name}: {value[name]}" for name in _SHOWN if name in value]
    tell(f"{EPOCHS} epochs, {mode}: {len(epochs)} here", *shown, found["end"][-400:])


def main(mode: str, seconds: float) -> None:
    """Draw the set and train on it."""
    drawn = WORK / "drawn201"
    with step(NAME, "drawing") as value:
        value.update(draw(drawn))
    with step(NAME, mode) as value:
        require(1 if TINY else 40)
        train(mode, seconds, drawn, value)


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
