"""How far a training is, kept on disk so that another process goes on and ends with the same."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import nn

from harness.base.files import in_utf8
from harness.base.parallel import on_main
from harness.base.progress import say
from harness.training.checkpoint import load_state, save_state
from harness.training.steps import Steps
from harness.training.stopping import random_states, restore_random

CHECKPOINT = "checkpoint.safetensors"


class Place(NamedTuple):
    """Where a training goes on.

    Attributes:
        epoch: Counted from 0.
        step: How many steps of it are done.
        log: The rows of the epochs before.
        within: Of an epoch that was begun: the sums of its losses, the generators' states.
    """

    epoch: int
    step: int
    log: list[dict[str, Any]]
    within: dict[str, Any]


@dataclass(frozen=True)
class Checkpoint:
    """The one checkpoint of a training.

    Attributes:
        folder: Of the run.
        key: The hash of everything that decides the result; a checkpoint of another is not used.
    """

    folder: Path
    key: str
    model: nn.Module
    optimiser: torch.optim.Optimizer
    device: torch.device

    @property
    def path(self) -> Path:
        """Its file."""
        return self.folder / CHECKPOINT

    def save(self, epoch: int, log: list[dict[str, Any]]) -> None:
        """Save between two epochs, of which the second is counted from 0; by the main process."""
        self._save({"epoch": epoch, "log": log})

    def save_within(self, place: Place, steps: Steps) -> None:
        """Save in the middle of an epoch; of several processes the others wait until it is done.

        Raises:
            TrainingError: A loss was no number, and what is there already must stay.
        """
        within = {"sums": steps.sums(), "random": random_states(self.device)}
        about = {"epoch": place.epoch, "step": place.step, "log": place.log, "within": within}
        on_main(lambda: self._save(about))

    def resume(self) -> Place:
        """Load what is there, if it is of this training; where nothing is, it begins."""
        about = on_main(lambda: _about(self.path) if self.path.exists() else None)
        if about is None:
            return Place(0, 0, [], {})
        if about.get("key") != self.key:
            say("train: a checkpoint of other inputs is there and not used")
            return Place(0, 0, [], {})
        load_state(self.path, self.model, self.optimiser)
        place = Place(int(about["epoch"]), int(about.get("step", 0)), list(about["log"]), {})
        within = f", step {place.step} of the next" if place.step else ""
        say(f"train: going on after epoch {place.epoch}{within}")
        return place._replace(within=about.get("within", {}))

    def go_on_within(self, place: Place, steps: Steps) -> None:
        """Put everything as it was after the first steps of the epoch that was begun."""
        # Loaded once more: what `start_epoch` does to a model was done before those steps.
        rates = [group["lr"] for group in self.optimiser.param_groups]
        load_state(self.path, self.model, self.optimiser)
        for group, rate in zip(self.optimiser.param_groups, rates, strict=True):
            group["lr"] = rate
        steps.go_on(place.within["sums"], place.step, self.device)
        restore_random(place.within["random"], self.device)

    def _save(self, about: dict[str, Any]) -> None:
        save_state(self.path, self.model, self.optimiser, {"key": self.key, **about})


def _about(path: Path) -> dict[str, Any]:
    from safetensors import SafetensorError, safe_open

    try:
        with in_utf8(path) as place, safe_open(place, framework="pt") as file:
            found: dict[str, Any] = json.loads(file.metadata()["about"])
            return found
    except (SafetensorError, OSError, KeyError, ValueError):
        return {}
