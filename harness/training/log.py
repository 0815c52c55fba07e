"""The rows of a training's log, one an epoch, with what its record must know of its steps."""

from __future__ import annotations

import contextlib
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.base.errors import DiskFullError
from harness.base.files import write_json
from harness.base.parallel import is_main
from harness.base.progress import say
from harness.spec.recipe import Recipe
from harness.training.mode import compiler_counts
from harness.training.steps import Steps

# A network disk is asked to keep a file; once in so many seconds is enough for whoever looks.
_SELDOM = 5.0
_PROGRESS = "progress.json"


@dataclass
class Notes:
    """How steps are taken, gathered between epochs."""

    compiled: bool = False
    compiling: float = 0.0
    """Seconds that compiling took and no row tells yet."""
    because: list[str] = field(default_factory=list)
    """Why the model is not compiled, or steps are not recorded, where they were to be."""

    def of_epoch(self, steps: Steps, nondeterministic: set[str]) -> dict[str, Any]:
        """What the row of an epoch tells; nothing where steps are simply taken."""
        because = [*self.because, *steps.because]
        found = {
            "compiled": self.compiled,
            "compiling_seconds": round(self.compiling, 3),
            "compiler": compiler_counts() if self.compiled else {},
            "recorded": steps.recorded,
            "plain_because": because,
            "nondeterministic": sorted(nondeterministic),
        }
        self.compiling = 0.0
        return {name: value for name, value in found.items() if value}


def epoch_row(
    epoch: int, rate: float, losses: Mapping[str, float], steps: int, seconds: float
) -> dict[str, Any]:
    """The row of an epoch (0-based)."""
    return {
        "epoch": epoch + 1,
        "lr": rate,
        "steps": steps,
        "losses": dict(losses),
        "seconds": round(seconds, 3),
    }


def report(row: Mapping[str, Any], recipe: Recipe) -> None:
    """Say a row."""
    terms = "  ".join(f"{name} {value:.4f}" for name, value in row["losses"].items())
    say(
        f"epoch {row['epoch']:>3}/{recipe.epochs}  lr {row['lr']:.1e}  {terms}  "
        f"{row['steps']} steps in {row['seconds']:.1f} s"
    )


def note_progress(folder: Path, log: Sequence[Mapping[str, Any]], recipe: Recipe) -> None:
    """Write how far a training is beside its checkpoint, for whoever asks; not more than seldom."""
    path = folder / _PROGRESS
    if not is_main() or _was_written(path, _SELDOM):
        return
    seconds = statistics.fmean(row["seconds"] for row in log)
    told = {"epoch": len(log), "epochs": recipe.epochs, "seconds_an_epoch": round(seconds, 3)}
    # What cannot be told must not end a training.
    with contextlib.suppress(OSError, DiskFullError):
        write_json(path, told)


def discard_progress(folder: Path) -> None:
    """Remove what `note_progress` wrote."""
    (folder / _PROGRESS).unlink(missing_ok=True)


def _was_written(path: Path, seconds: float) -> bool:
    with contextlib.suppress(OSError):
        return time.time() - path.stat().st_mtime < seconds
    return False
