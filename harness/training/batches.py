"""From rows of the image array to the normalised batch a method sees."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from harness.data.arrays import ImageArrays
from harness.method import Batch
from harness.modality import Modality
from harness.recipe import Recipe
from harness.training.augment import crop_and_flip, erase


@dataclass(frozen=True)
class Batches:
    """Makes batches of one data set for one recipe on one device.

    Attributes:
        arrays: The decoded images.
    """

    arrays: ImageArrays
    recipe: Recipe
    device: torch.device

    def training(
        self,
        rows: NDArray[np.int64],
        labels: NDArray[np.int64],
        modalities: tuple[Modality, ...],
        generator: torch.Generator,
    ) -> Batch:
        """An augmented batch with its labels (0..classes-1)."""
        raw = self._raw(rows, modalities)
        raw = crop_and_flip(raw, self.recipe.augmentation, generator)
        images = {m: self._normal(x) for m, x in raw.items()}
        images = erase(images, self.recipe.augmentation, generator)
        pids = torch.as_tensor(labels, dtype=torch.int64).to(self.device)
        return self._masked(rows, images, pids)

    def test(self, rows: NDArray[np.int64], modalities: tuple[Modality, ...]) -> Batch:
        """A batch as it is; its identities are hidden."""
        images = {m: self._normal(x) for m, x in self._raw(rows, modalities).items()}
        hidden = torch.full((len(rows),), -1, dtype=torch.int64, device=self.device)
        return self._masked(rows, images, hidden)

    def _raw(
        self, rows: NDArray[np.int64], modalities: tuple[Modality, ...]
    ) -> dict[Modality, Tensor]:
        """(n, 3, h, w) uint8 by modality, on the device."""
        out: dict[Modality, Tensor] = {}
        for modality in modalities:
            pixels = self.arrays.images[rows, self.arrays.axis(modality)]
            out[modality] = torch.from_numpy(pixels).to(self.device).permute(0, 3, 1, 2)
        return out

    def _normal(self, raw: Tensor) -> Tensor:
        return normalised(raw, self.recipe.input.mean, self.recipe.input.std)

    def _masked(
        self, rows: NDArray[np.int64], images: dict[Modality, Tensor], pids: Tensor
    ) -> Batch:
        present = {
            m: torch.from_numpy(self.arrays.present[rows, self.arrays.axis(m)]).to(self.device)
            for m in images
        }
        for modality, there in present.items():
            if not bool(there.all()):
                images[modality] = images[modality] * there[:, None, None, None]
        return Batch(images, present, pids)


def normalised(raw: Tensor, mean: tuple[float, ...], std: tuple[float, ...]) -> Tensor:
    """(n, 3, h, w) uint8 pixels as float32, normalised.

    In the order of torchvision's ToTensor and Normalize (divide by 255, subtract, divide), so
    that the digits are the same.
    """
    centre = torch.tensor(mean, device=raw.device)[:, None, None]
    spread = torch.tensor(std, device=raw.device)[:, None, None]
    return raw.to(torch.float32).div_(255).sub_(centre).div_(spread).contiguous()
