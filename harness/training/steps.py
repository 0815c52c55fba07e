"""Taking the steps of an epoch: each by itself or, on a GPU, by replaying one that was recorded."""

from __future__ import annotations

import contextlib
import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from harness.base.parallel import world
from harness.base.progress import say
from harness.spec.method import Batch
from harness.training.losses import Losses
from harness.training.weights import first_line

Record = Callable[[Callable[[], None]], Callable[[], None]]
"""Notes what a function does on the device, without doing it; gives what does it again."""

# Steps taken one by one before the first recording: libraries find their algorithms, and the
# optimiser makes its momenta, which a recording must find there.
_BEFORE_THE_FIRST = 3
# And before one of a later epoch, since `start_epoch` may have let more parameters learn.
_BEFORE_ANOTHER = 1

_NOT_IN_ORDER = re.compile(r"(\w+) does not have a deterministic implementation")


def recorder(device: torch.device) -> Record | None:
    """How steps are recorded on a device: as a CUDA graph on a GPU of one's own, else not at all.

    At a batch of 8 a big GPU mostly waits for the CPU to name the next of some two thousand small
    kernels, forward, back and update; a graph names them at once. They are the same kernels in the
    same order, so the numbers are the same, and `exact` records too.
    """
    if device.type != "cuda" or world().size > 1:
        # Several processes exchange sums on the way, by the host.
        return None
    return _as_graph


def _as_graph(work: Callable[[], None]) -> Callable[[], None]:
    graph = torch.cuda.CUDAGraph()
    # A thread may pin memory at the same time, which is none of the recording's business.
    with torch.cuda.graph(graph, capture_error_mode="thread_local"):
        work()
    replay: Callable[[], None] = graph.replay
    return replay


class Steps:
    """Takes steps and sums the terms of their losses on the device, where no one waits for them.

    Args:
        take: One step on a batch: forward, back and update; gives the terms, detached.
        forget: Throws the gradients away; called after a recording that failed.
        record: How a step is recorded; None where it is not.

    Attributes:
        recorded: How many steps of the epoch were replayed.
        because: Why steps are not replayed, where they were to be.
    """

    def __init__(
        self,
        take: Callable[[Batch], dict[str, Tensor]],
        forget: Callable[[], None],
        record: Record | None,
    ) -> None:
        self._take, self._forget, self._record = take, forget, record
        self._losses = Losses()
        self._inputs: Batch | None = None
        self._replay: Callable[[], None] | None = None
        self._alone = _BEFORE_THE_FIRST
        self.recorded = 0
        self.because: list[str] = []

    def start_epoch(self, epoch: int, changed: bool) -> None:
        """Begin to sum anew.

        Args:
            epoch: Counted from 0.
            changed: Whether the rate or anything else that a recording holds is another now.
        """
        self._losses.start_epoch(epoch)
        self.recorded = 0
        if changed and self._replay is not None:
            self._replay, self._alone = None, _BEFORE_ANOTHER

    def go_on(self, sums: Mapping[str, float], steps: int, device: torch.device) -> None:
        """Count the epoch's first steps, which another process took; their `sums` are given."""
        self._losses.go_on(sums, steps, device)

    def sums(self) -> dict[str, float]:
        """The terms' sums over the epoch's steps so far; waits for the device.

        Raises:
            TrainingError: A loss is NaN or infinite.
        """
        return self._losses.sums()

    def __call__(self, batch: Batch) -> None:
        """Take one step.

        Raises:
            TrainingError: On a CPU, a loss is NaN or infinite.
        """
        if self._record is None or not _whole(batch):
            self._losses.add(self._take(batch))
        elif self._alone > 0:
            self._alone -= 1
            self._losses.add(self._take(batch))
        else:
            self._replayed(batch)
        self._losses.stepped()

    def losses(self) -> dict[str, float]:
        """The terms' means over the epoch's steps; waits for the device.

        Raises:
            TrainingError: A loss is NaN or infinite.
        """
        return self._losses.means()

    def _replayed(self, batch: Batch) -> None:
        if self._inputs is None:
            self._inputs = _copied(batch)
        elif not _filled(self._inputs, batch):
            self._losses.add(self._take(batch))
            return
        if self._replay is None:
            self._replay = self._recording(self._inputs)
        if self._replay is None:
            self._losses.add(self._take(batch))
            return
        self._replay()
        self.recorded += 1

    def _recording(self, inputs: Batch) -> Callable[[], None] | None:
        def work() -> None:
            self._losses.add(self._take(inputs))

        assert self._record is not None
        try:
            return self._record(work)
        except Exception as error:  # of many kinds; every one of them only means: one by one
            why = first_line(error)
            say(f"train: steps cannot be recorded and are taken one by one: {why}")
            self.because.append(f"not recorded: {why}")
            self._record = None
            self._forget()
            return None


@contextlib.contextmanager
def noticing() -> Iterator[set[str]]:
    """Gather what torch warns of as not deterministic, instead of showing it."""
    found: set[str] = set()
    with warnings.catch_warnings():
        usual = warnings.showwarning

        def show(message: Warning | str, *rest: Any, **more: Any) -> None:
            said = _NOT_IN_ORDER.search(str(message))
            if said is None:
                usual(message, *rest, **more)
            elif said[1] not in found:
                found.add(said[1])
                say(f"train: {said[1]} may add in another order each time; the record says so")

        # Always, since torch warns at every call and Python passes on the first of a place only.
        warnings.filterwarnings("always", message=".*does not have a deterministic implementation")
        warnings.showwarning = show
        yield found


def _whole(batch: Batch) -> bool:
    """Whether no image is absent: which are decides the shapes of some methods."""
    return batch.there is not None and all(here.all() for here in batch.there.values())


def _tensors(batch: Batch) -> list[Tensor]:
    more = [] if batch.camids is None else [batch.camids]
    said = (batch.text or {}).values()
    return [*batch.images.values(), *batch.present.values(), batch.pids, *more, *said]


def _copied(batch: Batch) -> Batch:
    """The batch in memory of its own, from which every replayed step reads."""
    return batch._replace(
        images={m: x.clone() for m, x in batch.images.items()},
        present={m: x.clone() for m, x in batch.present.items()},
        pids=batch.pids.clone(),
        camids=None if batch.camids is None else batch.camids.clone(),
        text=None if batch.text is None else {m: ids.clone() for m, ids in batch.text.items()},
    )


def _filled(inputs: Batch, batch: Batch) -> bool:
    """Put a batch where replayed steps read; False for one of another kind."""
    old, new = _tensors(inputs), _tensors(batch)
    if list(inputs.images) != list(batch.images) or len(old) != len(new):
        return False
    if any(a.shape != b.shape or a.dtype != b.dtype for a, b in zip(old, new, strict=True)):
        return False
    for a, b in zip(old, new, strict=True):
        a.copy_(b)
    return True
