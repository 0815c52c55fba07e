"""The pixels of a data set within reach of the device: mapped, resident or streamed."""

from __future__ import annotations

import warnings
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from harness.training.sent import sent

Place = Literal["mapped", "resident", "streamed"]

# What is left of a GPU's free memory for the model, its activations and its optimiser.
RESERVED = 0.5
# Batches prepared while the device computes: one is on its way, one waits.
_AHEAD = 2


def place_for(needed: int, free: int) -> Place:
    """Where the array of `needed` bytes goes on a device with `free` bytes.

    Whole into its memory if half of what is free stays free; IEEE's training at batch 8 takes
    about 5 GB, RGBNT201 is 1.4 GB and Market1501-MM 9.5 GB.
    """
    return "resident" if needed <= free * (1 - RESERVED) else "streamed"


class Pixels:
    """Gives rows of the image array as uint8 tensors on a device; the bits are always the same.

    - `mapped`: rows are gathered from the memory map when asked for; all that a CPU needs.
    - `resident`: the whole array lies on the device, train and test rows alike, since one array
      without a table of who is where is simpler and the test rows are needed right after.
    - `streamed`: for an array too large for that, a thread gathers the next batches into pinned
      memory while the device computes.

    Args:
        images: (n, modalities, height, width, 3) uint8.
        device: Where the tensors go.
        place: Instead of what `place_for` decides.
    """

    def __init__(
        self, images: NDArray[np.uint8], device: torch.device, place: Place | None = None
    ) -> None:
        self.device = device
        self.place: Place = place or _place(images.nbytes, device)
        with warnings.catch_warnings():
            # The map is read-only, and torch has no such tensors; nothing here writes.
            warnings.filterwarnings("ignore", "The given NumPy array is not writable")
            whole = torch.from_numpy(images)
        if self.place == "resident":
            whole = whole.to(device)
        self._shape = whole.shape[2:]
        # Row r of modality a is row r * modalities + a: one plain gather, whatever is asked for.
        self._modalities = whole.shape[1]
        self._flat = whole.flatten(0, 1).flatten(1)

    def take(self, rows: NDArray[np.int64], axis: int) -> Tensor:
        """(n, height, width, 3) uint8 on the device: one modality of the given rows."""
        places = self._places(rows, (axis,)).to(self._flat.device, non_blocking=True)
        return self._gathered(places).to(self.device)[0]

    def stream(self, plan: Sequence[NDArray[np.int64]], axes: Sequence[int]) -> Iterator[Tensor]:
        """For each batch of the plan (axes, n, height, width, 3): its pixels as `take` gives them.

        Where to find them is sent to a device once for the whole plan.
        """
        batches = [self._places(rows, axes) for rows in plan]
        if self.place == "streamed":
            return self._ahead(batches)
        there = sent(batches, self._flat.device)
        return (self._gathered(places).to(self.device) for places in there)

    def _places(self, rows: NDArray[np.int64], axes: Sequence[int]) -> Tensor:
        """(axes, n) places in the flat array."""
        wanted = torch.from_numpy(np.ascontiguousarray(rows))
        return wanted[None] * self._modalities + torch.tensor(list(axes))[:, None]

    def _gathered(self, places: Tensor, out: Tensor | None = None) -> Tensor:
        flat = torch.index_select(self._flat, 0, places.flatten(), out=out)
        return flat.view(*places.shape, *self._shape)

    def _ahead(self, batches: Sequence[Tensor]) -> Iterator[Tensor]:
        """Gather in a thread, a few batches ahead, and send each when its turn comes."""
        with ThreadPoolExecutor(1) as worker:
            waiting: deque[Future[Tensor]] = deque()
            for places in batches:
                waiting.append(worker.submit(self._pinned, places))
                if len(waiting) > _AHEAD:
                    yield self._sent(waiting.popleft())
            while waiting:
                yield self._sent(waiting.popleft())

    def _pinned(self, places: Tensor) -> Tensor:
        # Torch keeps freed pinned memory for the next batch, and not before the copy that reads
        # it has ended; so there is no ring of buffers to look after here.
        buffer = torch.empty(
            (places.numel(), self._flat.shape[1]),
            dtype=torch.uint8,
            pin_memory=self.device.type == "cuda",
        )
        return self._gathered(places, out=buffer)

    def _sent(self, pixels: Future[Tensor]) -> Tensor:
        return pixels.result().to(self.device, non_blocking=True)


def _place(needed: int, device: torch.device) -> Place:
    if device.type != "cuda":
        return "mapped"
    free, _ = torch.cuda.mem_get_info(device)
    return place_for(needed, free)
