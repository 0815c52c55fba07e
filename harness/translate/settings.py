"""What decides a translator's weights, with the numbers of Zhu et al. 2017 as defaults."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from harness.base.errors import TrainingError, UnknownNameError
from harness.spec.modality import MODALITIES, Modality

# Below this the last map of the 70 x 70 patch discriminator has no pixel left: three halvings
# and two 4 x 4 convolutions that each take one more.
SMALLEST = 24
MULTIPLE = 4
"""The generator halves an image twice and doubles it again."""


class Settings(BaseModel):
    """One translator, but for the images and the seed it is trained with.

    Attributes:
        size: Height and width of the training images.
        blocks: Residual blocks; the paper takes 6 for 128 x 128 and 9 for larger images.
        width: Channels after the first convolution of generator and discriminator.
        cycle: Weight of the cycle loss, the paper's lambda.
        identity: Weight of the identity loss relative to `cycle`; the paper uses it (at 0.5) to
            keep the colours of photographs made from paintings, and not elsewhere.
        pool: Generated images that the discriminators are shown again.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: Modality = "RGB"
    target: Modality = "TI"
    size: tuple[int, int] = (256, 128)
    epochs: int = 200
    blocks: int = 9
    width: int = 64
    cycle: float = 10.0
    identity: float = 0.0
    pool: int = 50
    learning_rate: float = 2e-4
    betas: tuple[float, float] = (0.5, 0.999)


def make_settings(source: str, target: str, **others: Any) -> Settings:
    """Settings from the words of a command, checked before any data is read.

    Raises:
        UnknownNameError: Not a modality; says the nearest.
        TrainingError: A size, count or pair of modalities that cannot be trained with.
    """
    for name in (source, target):
        if name not in MODALITIES:
            raise UnknownNameError("modality", name, MODALITIES)
    if source == target:
        raise TrainingError(
            seen=f"{source} is both the source and the target",
            expected="two different modalities",
            do="for the paper's translator: --source RGB --target TI",
        )
    try:
        settings = Settings.model_validate({"source": source, "target": target} | others)
    except ValidationError as error:
        first = error.errors()[0]
        raise TrainingError(
            seen=f"{first['loc'][0]} = {first['input']!r}",
            expected=first["msg"],
            do="mend the option",
        ) from error
    _check_numbers(settings)
    return settings


def _check_numbers(settings: Settings) -> None:
    if any(n < SMALLEST or n % MULTIPLE for n in settings.size):
        height, width = settings.size
        raise TrainingError(
            seen=f"training images of {height} x {width}",
            expected=f"height and width of at least {SMALLEST}, multiples of {MULTIPLE}",
            do="--size 256 128 for people, --size 128 256 for vehicles",
        )
    for name in ("epochs", "blocks", "width"):
        value = getattr(settings, name)
        if value < 1:
            raise TrainingError(seen=f"--{name} {value}", expected="1 or more", do=f"--{name} 1")


def learning_rate(base: float, epoch: int, epochs: int) -> float:
    """The rate of an epoch (0-based): constant, then falling in a line over the second half.

    The line reaches zero after the last epoch, so that no epoch is spent without learning; an
    odd number gives the middle epoch to the constant half.
    """
    falling = epochs // 2
    return base * min(1.0, (epochs - epoch) / (falling + 1))
