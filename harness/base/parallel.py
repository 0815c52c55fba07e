"""Several processes that do one run together, as torchrun starts them."""

from __future__ import annotations

import atexit
import base64
import contextlib
import os
import pickle
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from harness.base.errors import HarnessError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor
    from torch.distributed.distributed_c10d import Store

_T = TypeVar("_T")

# In a step all processes are about equally quick; one that lets the others wait this long hangs.
_STEP = timedelta(minutes=10)
# What the main process does alone may take hours (decoding, scoring); if it fails, torchrun ends
# those that wait, so their patience only has to be longer than the work.
_ALONE = timedelta(days=7)
_VERBS = ("run", "reproduce")


class World(NamedTuple):
    """This process among those that torchrun started."""

    rank: int = 0
    size: int = 1
    local_rank: int = 0
    """Among the processes of this machine; the number of its GPU."""


class _Meeting:
    """Where the processes meet: torchrun's store, and how often they met."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.times = 0
        self.failed = False


_meeting: _Meeting | None = None


def world() -> World:
    """Read from what torchrun sets; variables of the same names set by others are not believed."""
    if "TORCHELASTIC_RUN_ID" not in os.environ:
        return World()
    return World(*(int(os.environ[name]) for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK")))


def is_main() -> bool:
    """Whether this process writes and speaks; of one process it is the one."""
    return world().rank == 0


def share(count: int, unit: int = 1) -> slice:
    """The part of `count` things that is this process's: in order, sizes that differ by one unit.

    Args:
        count: How many there are.
        unit: So many stay together, so that batches are cut at the same places as by one process.
    """
    here, units = world(), -(-count // unit)
    first, upto = (i * units // here.size for i in (here.rank, here.rank + 1))
    return slice(min(first * unit, count), min(upto * unit, count))


def join(words: list[str]) -> None:
    """Meet the other processes; without torchrun nothing happens, and torch is not imported.

    Args:
        words: Of the command line; only training and evaluation are done together.

    Raises:
        HarnessError: A command that one process is enough for.
    """
    global _meeting
    here = world()
    if here.size == 1 or _meeting is not None:
        return
    import torch
    from torch import distributed
    from torch.distributed.distributed_c10d import PrefixStore
    from torch.distributed.rendezvous import rendezvous

    store, _, _ = next(rendezvous("env://"))
    _meeting = _Meeting(PrefixStore("harness", store))
    # Small things, such as shapes, go over the CPU also where the tensors are on GPUs.
    backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
    distributed.init_process_group(
        backend, store=store, rank=here.rank, world_size=here.size, timeout=_STEP
    )
    atexit.register(_leave)
    if not words or words[0] not in _VERBS:
        raise HarnessError(
            seen=f"torchrun started `harness {' '.join(words[:1])}` {here.size} times",
            expected=f"one of {', '.join(_VERBS)}, which share a training among processes",
            do="start it without torchrun",
        )


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Within, all but the main process print nothing; an error that leaves the block is heard."""
    with contextlib.ExitStack() as stack:
        if not is_main():
            nowhere = stack.enter_context(open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123
            stack.enter_context(contextlib.redirect_stdout(nowhere))
            stack.enter_context(contextlib.redirect_stderr(nowhere))
        yield


def first_to_fail() -> bool:
    """Whether this process should say what went wrong: the first that asks, of all."""
    if _meeting is None:
        return is_main()
    _meeting.failed = True
    return bool(_meeting.store.add("failures", 1) == 1)


def main_first(work: Callable[[], _T]) -> _T:
    """Everyone does the work, the others after the main process, with what it left in caches."""
    if world().size == 1:
        return work()
    if is_main():
        found = work()
        _tell(b"")
        return found
    _hear()
    return work()


def on_main(work: Callable[[], _T]) -> _T:
    """The main process does the work; the others wait and get what it gave, which is pickled."""
    if world().size == 1:
        return work()
    if is_main():
        found = work()
        _tell(pickle.dumps(found))
        return found
    # Bytes of our own main process, over the connection that torchrun made.
    result: _T = pickle.loads(_hear())  # noqa: S301
    return result


def gathered(rows: NDArray[np.float32] | None) -> NDArray[np.float32]:
    """The rows of all processes, in the order of their ranks, for each of them.

    Args:
        rows: (n, d), n its own; None for none at all.
    """
    import torch

    if world().size == 1 and rows is not None:
        return rows
    shapes = everyones(None if rows is None else rows.shape)
    width = next(shape[1] for shape in shapes if shape is not None)
    counts = [0 if shape is None else int(shape[0]) for shape in shapes]
    own = torch.zeros((0, width)) if rows is None else torch.from_numpy(rows)
    found: NDArray[np.float32] = joined(own, counts).numpy()
    return found


def everyones(thing: Any) -> list[Any]:
    """What each process has, in the order of their ranks; small, it is pickled."""
    from torch import distributed

    found: list[Any] = [None] * world().size
    distributed.all_gather_object(found, thing)
    return found


def joined(rows: Tensor, counts: list[int]) -> Tensor:
    """The tensors (n_r, ...) of all processes along the first axis, without gradient.

    Args:
        rows: This process's.
        counts: n_r of every process.
    """
    import torch
    from torch import distributed

    # The collective wants tensors of one size.
    padded = rows.detach().new_zeros((max(counts), *rows.shape[1:]))
    padded[: len(rows)] = rows.detach()
    found = [torch.empty_like(padded) for _ in counts]
    distributed.all_gather(found, padded)
    return torch.cat([part[:count] for part, count in zip(found, counts, strict=True)])


def described(batch_norm: str) -> dict[str, Any]:
    """What a record's environment says of the processes; of one, nothing."""
    here = world()
    if here.size == 1:
        return {}
    from torch import distributed

    return {
        "processes": here.size,
        "machines": here.size // int(os.environ.get("LOCAL_WORLD_SIZE", here.size)),
        "backend": str(distributed.get_backend_config()),
        "batch_norm": batch_norm,
    }


def _met() -> _Meeting:
    if _meeting is None:
        raise RuntimeError("started by torchrun, but harness.base.parallel.join() was not called")
    _meeting.times += 1
    return _meeting


def _tell(message: bytes) -> None:
    meeting = _met()
    meeting.store.set(str(meeting.times), base64.b64encode(message).decode("ascii"))


def _hear() -> bytes:
    meeting = _met()
    meeting.store.wait([str(meeting.times)], _ALONE)
    return base64.b64decode(meeting.store.get(str(meeting.times)))


def _leave() -> None:
    from torch import distributed

    if _meeting is not None and not _meeting.failed:
        distributed.destroy_process_group()
