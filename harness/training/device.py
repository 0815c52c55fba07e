"""Which device a word on the command line means."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch

from harness.base.errors import TrainingError, UnknownNameError
from harness.base.parallel import world


def choose_device(wanted: str) -> torch.device:
    """The device of a word on the command line; `auto` takes a GPU where there is one.

    Each of several processes has a GPU of its own.

    Raises:
        UnknownNameError: Not auto, cpu or cuda, or cuda where there is none.
        TrainingError: Fewer GPUs than processes.
    """
    known = ["auto", "cpu", *(["cuda"] if torch.cuda.is_available() else [])]
    if wanted not in known:
        raise UnknownNameError("device on this machine", wanted, known)
    if wanted == "auto":
        wanted = known[-1] if "cuda" in known else "cpu"
    if wanted == "cuda" and world().size > 1:
        return _own_gpu(world().local_rank, torch.cuda.device_count())
    return torch.device(wanted)


def settle(device: torch.device) -> None:
    """Wait until the device has done what it was told, so that a clock read now is true."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


@contextlib.contextmanager
def own_stream(device: torch.device) -> Iterator[None]:
    """Work of the block goes to the device in a stream of its own.

    Torch cannot record what touches the stream that everything goes to by default.
    """
    if device.type != "cuda":
        yield
        return
    settle(device)
    with torch.cuda.stream(torch.cuda.Stream(device)):  # type: ignore[no-untyped-call]
        yield
    settle(device)
    # What the stream's work freed is kept for that stream alone.
    torch.cuda.empty_cache()


def _own_gpu(number: int, there: int) -> torch.device:
    if number >= there:
        raise TrainingError(
            seen=f"process {number + 1} on a machine with {there} GPUs",
            expected="a GPU for each process",
            do=f"torchrun --nproc-per-node {there}, or --device cpu",
        )
    torch.cuda.set_device(number)
    return torch.device("cuda", number)
