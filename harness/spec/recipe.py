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

# Options that recipes from before did not have: left out of the hash where they change nothing, so
# that those recipes keep theirs.
_LATER = {
    "input": ("train_resize",),
    "augmentation": ("erase_fill", "erase_area"),
    "optimiser": ("bias_lr_factor", "bias_weight_decay"),
    "schedule": ("warmup_start", "floor", "noise"),
}

Resize = Literal["bilinear", "bicubic"]
Probability = Annotated[float, Field(ge=0, le=1)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Input(_Section):
    """The size images are resized to (PIL) and the normalisation after.

    Test images are resized bilinearly, training images as `train_resize` says.
    """

    height: int = Field(default=256, ge=16, le=2048)
    width: int = Field(default=128, ge=16, le=2048)
    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    std: tuple[float, float, float] = (0.229, 0.224, 0.225)
    train_resize: Resize = "bilinear"


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
    erase_fill: Literal["mean", "noise"] = Field(
        default="mean", description="the mean colour, or a normal draw for each pixel and channel"
    )
    erase_area: tuple[Probability, Probability] = Field(
        default=(0.02, 0.4), description="of the rectangle, least and most, as parts of the image"
    )

    @model_validator(mode="after")
    def _areas_rise(self) -> Augmentation:
        least, most = self.erase_area
        if not 0 < least <= most:
            raise ValueError(f"erase_area must rise from above 0, got {list(self.erase_area)}")
        return self


class Optimiser(_Section):
    """The optimiser over every parameter that is trained, weight decay included.

    A parameter without a gradient is neither moved nor decayed. `adam` adds the decay to the
    gradient (L2), `adamw` takes it off the weights. A bias is a parameter whose own name holds
    the word, `in_proj_bias` too; one that the method gives a rate of its own (`lr_scales`) keeps
    that rate.
    """

    name: Literal["sgd", "adam", "adamw"] = "sgd"
    lr: float = Field(gt=0)
    momentum: float = Field(default=0.9, ge=0, lt=1, description="sgd only")
    nesterov: bool = Field(default=True, description="sgd only")
    weight_decay: float = Field(default=5e-4, ge=0)
    bias_lr_factor: float = Field(
        default=1.0, gt=0, description="biases learn at so many times the rate"
    )
    bias_weight_decay: float | None = Field(
        default=None, ge=0, description="of biases; none given: theirs is that of all"
    )


class Schedule(_Section):
    """The learning rate of an epoch, see `harness.training.schedule`.

    `steps` multiplies by `gamma` after each milestone, `cosine` falls to zero, and
    `cosine_to_floor` to `floor` as the transformer methods of the field have it. The first rate
    of the warm-up and the floor are parts of the recipe's rate; in `cosine_to_floor` they are the
    same for every group of parameters, otherwise parts of the group's own.
    """

    kind: Literal["steps", "cosine", "cosine_to_floor", "constant"] = "steps"
    milestones: tuple[int, ...] = ()
    gamma: float = Field(default=0.1, gt=0)
    warmup_epochs: int = Field(default=0, ge=0, description="linear, from warmup_start")
    warmup_start: float = Field(default=0.1, ge=0, le=1)
    floor: float = Field(default=0.0, ge=0, le=1, description="cosine_to_floor only")
    noise: Literal["none", "timm-42"] = Field(
        default="none",
        description="cosine_to_floor only: every epoch's rate but the last is off by up to two "
        "thirds, as timm's scheduler draws it from the seed 42 plus the epoch",
    )

    @model_validator(mode="after")
    def _fits(self) -> Schedule:
        if list(self.milestones) != sorted(set(self.milestones)):
            raise ValueError(f"milestones must rise, got {list(self.milestones)}")
        if self.kind != "cosine_to_floor" and (self.floor != 0 or self.noise != "none"):
            raise ValueError("floor and noise belong to kind = 'cosine_to_floor'")
        return self


class Recipe(_Section):
    """One training, whole; with a seed it is a run.

    Attributes:
        track: `official` follows a paper to the letter, `common` is the same for every method,
            `smoke` is the small one for the embedded data, and `modified` is one of them with
            changes: never written by hand, see `harness.spec.resolve.resolve`.
        source: Where the values come from; of a modified one, what was changed from which recipe.
        pretrained: `imagenet` (from the hub), `none`, or the path of a weights file.
        residual_start: Without pretrained weights, where the last normalisation of a residual block
            starts: `zero` as timm has it (Goyal et al. 2017, arXiv 1706.02677, section 5.1), `one`
            as torchvision and most code of the field. Where a network has none, they are the same.
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
    track: Literal["official", "common", "smoke", "modified"]
    source: str = ""
    method: str
    dataset: str
    protocol: str
    epochs: int = Field(ge=1)
    pretrained: str = "imagenet"
    residual_start: Literal["zero", "one"] = "zero"
    mode: Literal["exact", "fast"] = "exact"
    precision: Literal["float32", "bf16"] = "bf16"
    batch_norm: Literal["synchronised", "per_rank"] = "synchronised"
    input: Input = Input()
    sampler: Sampler
    augmentation: Augmentation = Augmentation()
    optimiser: Optimiser
    schedule: Schedule = Schedule()
    config: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _fits(self) -> Recipe:
        if self.residual_start == "one" and self.pretrained != "none":
            raise ValueError("residual_start = 'one' belongs to pretrained = 'none'")
        return self

    @cached_property
    def hash(self) -> str:
        """SHA-256 over everything that decides a training.

        The recipe's name and source do not, nor does `precision` in exact mode: there it counts
        as float32, and the mode is left out, so that recipes from before there were modes keep
        their hash. Synchronised batch normalisation, the zero start of residual blocks and later
        options (`_LATER`) at their defaults are left out for the same reason.
        """
        data = self.model_dump(mode="json", exclude=_WORDS)
        if self.batch_norm == "synchronised":
            del data["batch_norm"]
        if self.residual_start == "zero":
            del data["residual_start"]
        if self.mode == "exact":
            del data["mode"]
            data["precision"] = "float32"
        for section, keys in _LATER.items():
            settings = getattr(self, section)
            for key in keys:
                if getattr(settings, key) == type(settings).model_fields[key].default:
                    del data[section][key]
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
