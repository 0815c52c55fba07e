"""From rows of the image array to the normalised batch a method sees."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from harness.corruptions.apply import corrupt_all
from harness.data.arrays import ImageArrays
from harness.spec.corruption import Corruption
from harness.spec.method import Batch
from harness.spec.modality import Modality
from harness.spec.protocol import Change
from harness.spec.recipe import Recipe
from harness.training.augment import crop_and_flip, erase
from harness.training.draws import draws_on, epoch_draws
from harness.training.mode import memory_format
from harness.training.pixels import Pixels
from harness.training.sent import sent
from harness.training.texts import Texts

_AS_IT_IS = Change()


@dataclass(frozen=True)
class Batches:
    """Makes batches of one data set for one recipe on one device.

    Attributes:
        arrays: The decoded images.
        cameras: (rows of the array,) each one's camera, 0-based in the order of train's; None
            where the data set names none.
        cameras_at_test: Whether test batches tell them, too.
        texts: What is said of the images; None for a method that is given no captions.
    """

    arrays: ImageArrays
    recipe: Recipe
    device: torch.device
    cameras: NDArray[np.int64] | None = None
    cameras_at_test: bool = False
    texts: Texts | None = None

    @cached_property
    def pixels(self) -> Pixels:
        """The pixels, on the device if they fit."""
        return Pixels(self.arrays.images, self.device)

    def training(
        self,
        rows: NDArray[np.int64],
        labels: NDArray[np.int64],
        modalities: tuple[Modality, ...],
        generator: torch.Generator,
    ) -> Batch:
        """An augmented batch with its labels (0..classes-1)."""
        return next(self.epoch([rows], [labels], modalities, generator))

    def epoch(
        self,
        rows: Sequence[NDArray[np.int64]],
        labels: Sequence[NDArray[np.int64]],
        modalities: tuple[Modality, ...],
        generator: torch.Generator,
    ) -> Iterator[Batch]:
        """The augmented batches of a plan, one after the other.

        Args:
            rows: For each batch (n,) of the array; known ahead, so that pixels can be on their
                way before their turn, and that what all steps need is sent to the device once.
            labels: For each batch (n,).
            modalities: Of training.
            generator: A CPU generator, from which the whole epoch is drawn at once.
        """
        recipe = self.recipe.augmentation
        axes = [self.arrays.axis(m) for m in modalities]
        size = (self.arrays.images.shape[2], self.arrays.images.shape[3])
        counts = [len(chosen) for chosen in rows]
        drawn = epoch_draws(counts, len(axes), size, recipe, generator)
        there = [self.arrays.present[:, axes][c].T for c in rows]
        steps = zip(
            self.pixels.stream(rows, axes),
            draws_on(self.device, drawn),
            there,
            sent([torch.from_numpy(t) for t in there], self.device),
            sent([torch.as_tensor(c, dtype=torch.int64) for c in labels], self.device),
            self._camids(rows),
            self._texts(rows, modalities, [dict(zip(modalities, t, strict=True)) for t in there]),
            strict=True,
        )
        for raw, draws, here, present, pids, camids, text in steps:
            images = self._normal(crop_and_flip(raw, draws, recipe.pad))
            images = erase(images, draws)
            if not here.all():
                images = images * present[..., None, None, None]
            yield Batch(
                dict(zip(modalities, images.unbind(0), strict=True)),
                dict(zip(modalities, present.unbind(0), strict=True)),
                pids,
                camids,
                there=dict(zip(modalities, here, strict=True)),
                text=text,
            )

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
        pixels = {
            m: self._pixels(rows, m, there[m])
            if change.corruption is None
            else self._corrupted(rows, m, there[m], names, change.corruption)
            for m in modalities
        }
        images = {m: self._normal(p[None])[0] for m, p in pixels.items()}
        hidden = torch.full((len(rows),), -1, dtype=torch.int64, device=self.device)
        batch = self._masked(there, images, hidden)
        if self.cameras_at_test:
            batch = batch._replace(camids=self._camids([rows])[0])
        if self.texts is not None and change.captions_stay:
            return batch._replace(text=self._texts([rows], tuple(self.texts.ids), None)[0])
        return batch._replace(text=self._texts([rows], modalities, [there])[0])

    def _camids(self, plan: Sequence[NDArray[np.int64]]) -> Sequence[Tensor | None]:
        """For each batch (n,) on the device, or None where there are no cameras."""
        if self.cameras is None:
            return [None] * len(plan)
        return sent([torch.from_numpy(self.cameras[rows]) for rows in plan], self.device)

    def _texts(
        self,
        plan: Sequence[NDArray[np.int64]],
        modalities: tuple[Modality, ...],
        there: Sequence[dict[Modality, NDArray[np.bool_]]] | None,
    ) -> Sequence[dict[Modality, Tensor] | None]:
        """For each batch its captions on the device, each (n, 77); None where none are given.

        Args:
            plan: The rows of each batch.
            modalities: Of the captions.
            there: Which images each batch has; the captions of others are left out. None: none.
        """
        if self.texts is None:
            return [None] * len(plan)
        masks: Sequence[dict[Modality, NDArray[np.bool_]] | None] = there or [None] * len(plan)
        ids = [self.texts.of(rows, modalities, m) for rows, m in zip(plan, masks, strict=True)]
        every = sent([torch.from_numpy(i) for i in ids], self.device)
        return [dict(zip(modalities, one.unbind(0), strict=True)) for one in every]

    def _present(
        self, rows: NDArray[np.int64], modalities: tuple[Modality, ...]
    ) -> dict[Modality, NDArray[np.bool_]]:
        return {m: self.arrays.present[rows, self.arrays.axis(m)] for m in modalities}

    def _pixels(
        self, rows: NDArray[np.int64], modality: Modality, there: NDArray[np.bool_]
    ) -> Tensor:
        """(n, h, w, 3) uint8 on the device; the image of an absent modality is not read."""
        axis = self.arrays.axis(modality)
        if there.all():
            return self.pixels.take(rows, axis)
        pixels = torch.zeros(
            (len(rows), *self.arrays.images.shape[2:]), dtype=torch.uint8, device=self.device
        )
        where = torch.from_numpy(np.flatnonzero(there)).to(self.device)
        return pixels.index_copy_(0, where, self.pixels.take(rows[there], axis))

    def _corrupted(
        self,
        rows: NDArray[np.int64],
        modality: Modality,
        there: NDArray[np.bool_],
        names: Sequence[str],
        corruption: Corruption,
    ) -> Tensor:
        """`_pixels`, corrupted on the host from its own array: nothing is asked of the device."""
        pixels = np.zeros((len(rows), *self.arrays.images.shape[2:]), dtype=np.uint8)
        pixels[there] = self.arrays.images[rows[there], self.arrays.axis(modality)]
        drawn = [
            corruption.drawn(name, modality) if here else None
            for name, here in zip(names, there, strict=True)
        ]
        changed = corrupt_all(pixels, drawn, grey=modality != "RGB")
        return torch.from_numpy(changed).to(self.device)

    def _normal(self, raw: Tensor) -> Tensor:
        """(k, n, 3, h, w) of (k, n, h, w, 3) pixels, each modality's laid out as the mode says."""
        shape = self.recipe.input
        upright = raw.flatten(0, 1).permute(0, 3, 1, 2)
        flat = normalised(upright, shape.mean, shape.std, memory_format(self.recipe))
        return flat.view(*raw.shape[:2], *flat.shape[1:])

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
        return Batch(images, present, pids, there=there)


def normalised(
    raw: Tensor,
    mean: tuple[float, ...],
    std: tuple[float, ...],
    layout: torch.memory_format = torch.contiguous_format,
) -> Tensor:
    """(n, 3, h, w) uint8 pixels as float32, normalised.

    In the order of torchvision's ToTensor and Normalize (divide by 255, subtract, divide), so
    that the digits are the same.

    Args:
        raw: Pixels as they come from the array, a view of (n, h, w, 3), or in any other order.
        mean, std: Of the three channels.
        layout: How the result lies in memory. In channels_last the pixels need not be moved.
    """
    n, _, h, w = raw.shape
    # A row of an image is w times the three channels: subtracting a whole row of means is five
    # times as quick as letting torch go over the pixels three numbers at a time.
    flat = layout == torch.channels_last
    whole, centre, spread = _constants(mean, std, w if flat else 0, raw.device)
    if flat:
        rows = raw.permute(0, 2, 3, 1).reshape(n * h, w * 3).to(torch.float32)
        torch.addcdiv(-centre, rows, whole, out=rows).div_(spread)  # x / 255 - mean, in one pass
        return rows.view(n, h, w, 3).permute(0, 3, 1, 2)
    # The bytes are put in order before they become four times as many.
    pixels = raw.contiguous().to(torch.float32)
    return pixels.div_(whole).sub_(centre).div_(spread)


@cache
def _constants(
    mean: tuple[float, ...], std: tuple[float, ...], width: int, device: torch.device
) -> tuple[Tensor, Tensor, Tensor]:
    """255, the means and the deviations on the device: for images, or for rows of `width`.

    255 is a tensor because a GPU multiplies by the reciprocal of a plain number, which rounds
    otherwise than dividing.
    """
    centre, spread = (
        torch.tensor(v).repeat(width) if width else torch.tensor(v)[:, None, None]
        for v in (mean, std)
    )
    return torch.tensor(255.0, device=device), centre.to(device), spread.to(device)
