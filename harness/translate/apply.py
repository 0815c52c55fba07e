"""A trained translator on single images, each at its own size."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from pydantic import ValidationError
from torch import Tensor
from torch.nn import functional

from harness.base.accelerator import reference_numerics
from harness.base.errors import CheckpointError, DataError
from harness.base.hashing import file_digest
from harness.training.checkpoint import read_weights
from harness.training.weights import describe_misfit
from harness.translate.networks import Generator
from harness.translate.settings import MULTIPLE, Settings
from harness.translate.training import KIND, to_range

# The generator pads the quarter-size map by one mirrored pixel, so it needs two.
_SMALLEST = 8


class Translator:
    """Makes the target modality's image of a source image.

    Args:
        generator: The trained network.
        settings: What it was trained with.
        card: JSON-ready facts that a made data set carries: the weights' hash and their data.
        device: Where the network runs.
    """

    def __init__(
        self, generator: Generator, settings: Settings, card: dict[str, Any], device: torch.device
    ) -> None:
        self.source = settings.source
        self.target = settings.target
        self.card = card
        self._device = device
        self._generator = generator.to(device).eval()

    def __call__(self, image: Image.Image) -> Image.Image:
        """The image in the target modality, of the same size, in mode RGB.

        Both sides are padded to a multiple of 4 by reflection, and cropped back afterwards. No
        pixel depends on another image.

        Raises:
            DataError: The image is smaller than 8 x 8.
        """
        width, height = image.size
        if min(width, height) < _SMALLEST:
            raise DataError(
                seen=f"an image of {height} x {width}",
                expected=f"at least {_SMALLEST} x {_SMALLEST}, which is what the network needs",
                do="remove the image; nobody can be recognised on it",
            )
        pixels = to_range(torch.from_numpy(np.array(image.convert("RGB")))).to(self._device)
        right, below = -width % MULTIPLE, -height % MULTIPLE
        padded = functional.pad(pixels, (0, right, 0, below), mode="reflect")
        with torch.inference_mode(), reference_numerics():
            made: Tensor = self._generator(padded)[0, :, :height, :width]
        array = made.add(1).mul(127.5).round().clamp(0, 255).to(torch.uint8)
        return Image.fromarray(array.permute(1, 2, 0).cpu().numpy())


def load_translator(path: Path, device: torch.device) -> Translator:
    """The translator in a weights file of `harness data train-translator`.

    Raises:
        CheckpointError: No such file, a damaged one, or weights of something else.
    """
    state, about = read_weights(path)
    settings = _settings(path, about)
    # Drawing weights that are overwritten at once would cost time; the state brings them all.
    with torch.device("meta"):
        generator = Generator(settings.width, settings.blocks)
    misfit = describe_misfit(generator.state_dict(), state)
    if misfit:
        raise CheckpointError(
            seen=f"{path} does not fit its own card: {misfit}",
            expected=f"a generator of width {settings.width} with {settings.blocks} blocks",
            do="train it again, or restore the file",
        )
    generator.load_state_dict(state, assign=True)
    inputs = about["inputs"]
    card = {
        "sha256": file_digest(path),
        "inputs_hash": about.get("inputs_hash"),
        "settings": settings.model_dump(mode="json"),
        "seed": inputs.get("seed"),
        "trained_on": inputs.get("data"),
        "device": device.type,
    }
    return Translator(generator, settings, card, device)


def _settings(path: Path, about: dict[str, Any]) -> Settings:
    try:
        if about.get("kind") == KIND:
            return Settings.model_validate(about["inputs"]["settings"])
    except (KeyError, TypeError, ValidationError):
        pass
    raise CheckpointError(
        seen=f"{path} holds no translator",
        expected="translator.safetensors as `harness data train-translator` writes it",
        do="harness data train-translator --dataset FOLDER --source RGB --target TI --out FOLDER",
    )
