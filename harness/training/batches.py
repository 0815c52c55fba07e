"""From rows of the image array to the normalised batch a method sees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from harness.corruptions.apply import corrupt_all
from harness.data.arrays import ImageArrays
from harness.method import Batch
from harness.modality import Modality
from harness.protocol import Change
from harness.recipe import Recipe
from harness.training.augment import crop_and_flip, erase

_AS_IT_IS = Change()


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
        there = self._present(rows, modalities)
        pixels = {m: self._pixels(rows, m, there[m]) for m in modalities}
        raw = crop_and_flip(self._on_device(pixels), self.recipe.augmentation, generator)
        images = {m: self._normal(x) for m, x in raw.items()}
        images = erase(images, self.recipe.augmentation, generator)
        pids = torch.as_tensor(labels, dtype=torch.int64).to(self.device)
        return self._masked(there, images, pids)

    def test(
        self,
        rows: NDArray[np.int64],
        modalities: tuple[Modality, ...],
        names: Sequence[str] = (),
        change: Change = _AS_IT_IS,
    ) -> Batch:
        """A batch as the protocol shows it; its identities are hidden.

        Args:
            rows: (n,) of the array.
            modalities: Of this side.
            names: The n samples' names, which decide every draw; needed where there is a change.
            change: What the protocol leaves out or corrupts.
        """
        there = self._present(rows, modalities)
        if change.random_missing is not None:
            for i, name in enumerate(names):
                kept = change.random_missing.kept(name, [m for m in modalities if there[m][i]])
                for modality in modalities:
                    there[modality][i] = modality in kept
        pixels = {m: self._pixels(rows, m, there[m]) for m in modalities}
        if change.corruption is not None:
            for m in modalities:
                drawn = [
                    change.corruption.drawn(name, m) if here else None
                    for name, here in zip(names, there[m], strict=True)
                ]
                pixels[m] = corrupt_all(pixels[m], drawn, grey=m != "RGB")
        images = {m: self._normal(x) for m, x in self._on_device(pixels).items()}
        hidden = torch.full((len(rows),), -1, dtype=torch.int64, device=self.device)
        return self._masked(there, images, hidden)

    def _present(
        self, rows: NDArray[np.int64], modalities: tuple[Modality, ...]
    ) -> dict[Modality, NDArray[np.bool_]]:
        return {m: self.arrays.present[rows, self.arrays.axis(m)] for m in modalities}

    def _pixels(
        self, rows: NDArray[np.int64], modality: Modality, there: NDArray[np.bool_]
    ) -> NDArray[np.uint8]:
        """(n, h, w, 3); the image of an absent modality is not read."""
        axis = self.arrays.axis(modality)
        if there.all():
            whole: NDArray[np.uint8] = self.arrays.images[rows, axis]
            return whole
        pixels = np.zeros((len(rows), *self.arrays.images.shape[2:]), dtype=np.uint8)
        pixels[there] = self.arrays.images[rows[there], axis]
        return pixels

    def _on_device(self, pixels: dict[Modality, NDArray[np.uint8]]) -> dict[Modality, Tensor]:
        """(n, 3, h, w) uint8 by modality, on the device."""
        return {
            m: torch.from_numpy(p).to(self.device).permute(0, 3, 1, 2) for m, p in pixels.items()
        }

    def _normal(self, raw: Tensor) -> Tensor:
        return normalised(raw, self.recipe.input.mean, self.recipe.input.std)

    def _masked(
        self,
        there: dict[Modality, NDArray[np.bool_]],
        images: dict[Modality, Tensor],
        pids: Tensor,
    ) -> Batch:
        present = {m: torch.from_numpy(t).to(self.device) for m, t in there.items()}
        for modality, mask in present.items():
            if not there[modality].all():
                images[modality] = images[modality] * mask[:, None, None, None]
        return Batch(images, present, pids)


def normalised(raw: Tensor, mean: tuple[float, ...], std: tuple[float, ...]) -> Tensor:
    """(n, 3, h, w) uint8 pixels as float32, normalised.

    In the order of torchvision's ToTensor and Normalize (divide by 255, subtract, divide), so
    that the digits are the same.
    """
    centre = torch.tensor(mean, device=raw.device)[:, None, None]
    spread = torch.tensor(std, device=raw.device)[:, None, None]
    return raw.to(torch.float32).div_(255).sub_(centre).div_(spread).contiguous()
