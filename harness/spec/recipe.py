"""Recipes: everything that decides a training, as checked data with a hash."""

from __future__ import annotations

import tomllib
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from harness.base.hashing import digest

# These say where a recipe comes from; renaming or explaining one does not change its training.
_WORDS = {"name", "source"}

Probability = Annotated[float, Field(ge=0, le=1)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Input(_Section):
    """The size images are resized to (bilinear, PIL) and the normalisation after."""

    height: int = Field(default=256, ge=16, le=2048)
    width: int = Field(default=128, ge=16, le=2048)
    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    std: tuple[float, float, float] = (0.229, 0.224, 0.225)


class Sampler(_Section):
    """A batch is `identities` x `instances` images (P x K)."""

    identities: int = Field(ge=1)
    instances: int = Field(ge=1)


class Augmentation(_Section):
    """Drawn per image; `joint` draws once for the aligned images of a sample."""

    flip: Probability = 0.5
    pad: int = Field(default=0, ge=0, description="pixels padded before a random crop")
    erase: Probability = 0.0
    joint: bool = False


class Optimiser(_Section):
    """The optimiser over every parameter, weight decay included."""

    name: Literal["sgd", "adam", "adamw"] = "sgd"
    lr: float = Field(gt=0)
    momentum: float = Field(default=0.9, ge=0, lt=1, description="sgd only")
    nesterov: bool = Field(default=True, description="sgd only")
    weight_decay: float = Field(default=5e-4, ge=0)


class Schedule(_Section):
    """The learning rate of an epoch: `steps` multiplies by `gamma` after each milestone."""

    kind: Literal["steps", "cosine", "constant"] = "steps"
    milestones: tuple[int, ...] = ()
    gamma: float = Field(default=0.1, gt=0)
    warmup_epochs: int = Field(default=0, ge=0, description="linear, from a tenth of the rate")

    @model_validator(mode="after")
    def _milestones_rise(self) -> Schedule:
        if list(self.milestones) != sorted(set(self.milestones)):
            raise ValueError(f"milestones must rise, got {list(self.milestones)}")
        return self


class Recipe(_Section):
    """One training, whole; with a seed it is a run.

    Attributes:
        track: `official` follows a paper to the letter, `common` is the same for every method,
            `smoke` is the small one for the embedded data.
        source: Where the values come from.
        pretrained: `imagenet` (from the hub), `none`, or the path of a weights file.
        mode: `exact` computes in float32 with the reference numerics, the same on every machine as
            far as machines go; `fast` takes whatever is quicker: autocast, channels_last, TF32,
            and compiling on a GPU (`harness.training.mode`).
        precision: The lowest that `fast` may compute in: `bf16` (autocast), or `float32` for a
            method that must not be computed in less. `exact` is float32 whatever this says.
        batch_norm: Of several processes (torchrun): `synchronised` normalises over the whole batch,
            as one process does; `per_rank` over each one's part, and the first one's running
            statistics count.
        config: The method's own options.
    """

    name: str
    track: Literal["official", "common", "smoke"]
    source: str = ""
    method: str
    dataset: str
    protocol: str
    epochs: int = Field(ge=1)
    pretrained: str = "imagenet"
    mode: Literal["exact", "fast"] = "exact"
    precision: Literal["float32", "bf16"] = "bf16"
    batch_norm: Literal["synchronised", "per_rank"] = "synchronised"
    input: Input = Input()
    sampler: Sampler
    augmentation: Augmentation = Augmentation()
    optimiser: Optimiser
    schedule: Schedule = Schedule()
    config: dict[str, Any] = Field(default_factory=dict)

    @cached_property
    def hash(self) -> str:
        """SHA-256 over everything that decides a training.

        The recipe's name and source do not, nor does `precision` in exact mode: there it counts
        as float32, and the mode is left out, so that recipes from before there were modes keep
        their hash. Synchronised batch normalisation is left out for the same reason.
        """
        data = self.model_dump(mode="json", exclude=_WORDS)
        if self.batch_norm == "synchronised":
            del data["batch_norm"]
        if self.mode == "exact":
            del data["mode"]
            data["precision"] = "float32"
        return digest(data)

    def dumped(self) -> dict[str, Any]:
        """The recipe as JSON-ready data, every default written out."""
        return self.model_dump(mode="json")


def shared_recipes() -> Path:
    """The folder with the recipes that every method can use."""
    return Path(__file__).parents[1] / "recipes"


def read_toml(path: Path) -> dict[str, Any]:
    """A TOML file as plain data (tomllib's error names line and column)."""
    return tomllib.loads(path.read_text(encoding="utf-8"))
