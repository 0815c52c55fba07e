"""The rows of a training's log, one an epoch, with what its record must know of its steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from harness.base.errors import TrainingError
from harness.base.progress import say
from harness.spec.recipe import Recipe
from harness.training.mode import compiler_counts
from harness.training.steps import Steps


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
    """The row of an epoch (0-based).

    Raises:
        TrainingError: A loss is NaN or infinite.
    """
    for name, value in losses.items():
        if not np.isfinite(value):
            raise TrainingError(
                seen=f"the loss term {name!r} became {value} in epoch {epoch + 1}",
                expected="finite losses",
                do="lower the learning rate (--set optimiser.lr=...), or train in float32",
            )
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
