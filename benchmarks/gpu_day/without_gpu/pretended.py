"""A CUDA device made of CPU tensors: the same numbers, but mixing devices raises, and waits count.

`pretend()` makes torch believe in the device, and inside a block of `Pretended()` tensors made on
`cuda` are CPU tensors with another label. What would make a program wait for a GPU is counted in
`SEEN`, with the line of the project that asks for it.
"""

from __future__ import annotations

import traceback
from collections import Counter, defaultdict
from typing import Any, NamedTuple

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten, tree_map

CUDA = torch.device("cuda", 0)
_OURS = ("/harness/", "/ieee/", "/baselines/", "/datasets/", "/benchmarks/", "optim/")
_INDEXING = {
    *("aten::index", "aten::index_put", "aten::index_put_"),
    *("aten::_index_put_impl_", "aten::_unsafe_index"),
}
_WAITING = {
    *("aten::_local_scalar_dense", "aten::nonzero", "aten::masked_select", "aten::_unique2"),
    *("aten::unique_dim", "aten::unique_consecutive", "aten::equal", "aten::is_nonzero"),
    *("aten::nonzero_numpy", "aten::repeat_interleave"),
}
"""They ask the device for a number, or for the size of their result."""
_NUMBERS = {"aten::_local_scalar_dense", "aten::equal", "aten::is_nonzero"}
_COPYING = {"aten::_to_copy", "aten::copy_", "aten::_copy_from"}


class Seen:
    """What was noticed since the last `clear`.

    Attributes:
        lines: By kind of event, how often which line caused it.
        operations: How often each operation ran on the device.
    """

    def __init__(self) -> None:
        self.lines: dict[str, Counter[str]] = defaultdict(Counter)
        self.operations: Counter[str] = Counter()

    def note(self, kind: str) -> None:
        """Count an event."""
        self.lines[kind][_line()] += 1

    def counts(self) -> dict[str, int]:
        """How many events of each kind there were."""
        return {kind: lines.total() for kind, lines in self.lines.items()}

    def clear(self) -> None:
        """Forget everything."""
        self.lines.clear()
        self.operations.clear()


SEEN = Seen()


class Call(NamedTuple):
    """An operation of torch as it was called."""

    function: Any
    args: Any
    kwargs: dict[str, Any]
    there: list[Cuda]
    """Tensors on the device among its arguments."""
    here: list[torch.Tensor]
    """Tensors on the CPU among them."""

    @property
    def name(self) -> str:
        """Without its overload."""
        return str(self.function._schema.name)

    @property
    def device(self) -> torch.device | None:
        """The device that it names, if it does."""
        named = self.kwargs.get("device")
        return None if named is None else torch.device(named)


class Cuda(torch.Tensor):
    """A tensor of the pretended device; its numbers lie in a CPU tensor."""

    held: torch.Tensor

    @staticmethod
    def __new__(cls, held: torch.Tensor) -> Cuda:
        """Put the label on a CPU tensor."""
        out: Cuda = torch.Tensor._make_wrapper_subclass(
            cls,
            held.size(),
            strides=held.stride(),
            storage_offset=held.storage_offset(),
            dtype=held.dtype,
            layout=held.layout,
            device=CUDA,
            requires_grad=False,
        )
        out.held = held
        return out

    def __repr__(self, *_: Any, **__: Any) -> str:
        """Its shape and type; its numbers would be a wait."""
        return f"Cuda({tuple(self.shape)}, {self.dtype})"

    @classmethod
    def __torch_dispatch__(
        cls, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Every operation on one."""
        return _run(func, args, kwargs or {})


class Pretended(TorchDispatchMode):
    """The block in which tensors can be made on the device."""

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Every operation in the block."""
        return _run(func, args, kwargs or {})


def pretend() -> None:
    """Make torch believe that there is a GPU of 80 GiB, 70 of them free."""
    torch.cuda.is_available = lambda: True
    torch.cuda.mem_get_info = lambda device=None: (70 << 30, 80 << 30)
    torch.cuda.memory_reserved = lambda device=None: 0
    torch.cuda.memory_allocated = lambda device=None: 0
    torch.cuda.is_bf16_supported = lambda *_, **__: True
    torch.cuda.reset_peak_memory_stats = lambda *_, **__: None
    torch.cuda.max_memory_allocated = lambda *_, **__: 0
    torch.cuda.synchronize = lambda *_, **__: None
    torch.cuda.current_device = lambda: 0
    torch.cuda.device_count = lambda: 1
    torch.cuda._lazy_init = lambda: None  # type: ignore[attr-defined]
    torch.cuda.is_current_stream_capturing = lambda: False
    torch.__future__.set_overwrite_module_params_on_conversion(True)
    torch.backends.cudnn.enabled = False
    torch.tensor = _made
    torch.Tensor.new_tensor = _new  # type: ignore[method-assign]


_tensor = torch.tensor


def _made(
    data: Any, *args: Any, device: Any = None, requires_grad: bool = False, **kwargs: Any
) -> torch.Tensor:
    out = _tensor(data, *args, **kwargs)
    if device is not None and torch.device(device).type == "cuda":
        out = out.to(CUDA)
    return out.requires_grad_(requires_grad) if requires_grad else out


def _new(self: torch.Tensor, data: Any, **kwargs: Any) -> torch.Tensor:
    return _made(data, **{"dtype": self.dtype, "device": self.device, **kwargs})


def _run(function: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    """The operation on the CPU tensors inside, its result labelled as a GPU's would be."""
    flat, _ = tree_flatten((args, kwargs))
    there = [x for x in flat if isinstance(x, Cuda)]
    here = [x for x in flat if isinstance(x, torch.Tensor) and not isinstance(x, Cuda)]
    call = Call(function, args, kwargs, there, here)
    if call.name == "aten::record_stream":
        return None  # a CPU tensor has no streams
    if there or (call.device is not None and call.device.type == "cuda"):
        SEEN.operations[call.name] += 1
    if call.name in _COPYING:
        on_cuda = _copied_to_cuda(call)
    else:
        _check_mixing(call)
        on_cuda = bool(there) or (call.device is not None and call.device.type == "cuda")
    _note_waits(call)
    out = function(*tree_map(_unwrapped, args), **_cpu_words(call))
    if call.name in _NUMBERS:
        return out
    # What an operation in place gives back is the very tensor it was given.
    same = {id(x.held): x for x in there}

    def labelled(x: Any) -> Any:
        if not isinstance(x, torch.Tensor) or isinstance(x, Cuda):
            return x
        return same.get(id(x)) if id(x) in same else Cuda(x) if on_cuda else x

    return tree_map(labelled, out)


def _check_mixing(call: Call) -> None:
    """Refuse, as CUDA does, or note what it only waits for."""
    large = [x for x in call.here if x.dim() > 0]
    if not call.there or not call.here:
        return
    if call.name in _INDEXING:
        if large:
            SEEN.note(f"CPU index into {call.name}")
    elif large:
        raise RuntimeError(
            f"Expected all tensors on the same device: {call.name} with cuda "
            f"{tuple(call.there[0].shape)} and cpu {tuple(large[0].shape)} at {_line()}"
        )
    elif "fused" in call.name or "foreach" in call.name:
        SEEN.note(f"0-dim CPU tensor in {call.name}")


def _note_waits(call: Call) -> None:
    if not call.there:
        return
    if call.name in _WAITING:
        SEEN.note(f"wait: {call.name}")
    if call.name in _INDEXING and any(
        isinstance(i, torch.Tensor) and i.dtype in (torch.bool, torch.uint8) for i in call.args[1]
    ):
        SEEN.note(f"wait: mask in {call.name}")


def _copied_to_cuda(call: Call) -> bool:
    """Whether a copy's result is on the device; copies between the two are noted."""
    if call.name != "aten::_to_copy":
        target, source = call.args[:2]
        if isinstance(target, Cuda) and not isinstance(source, Cuda):
            SEEN.note("copy_ to the device")
        elif isinstance(source, Cuda) and not isinstance(target, Cuda):
            SEEN.note("wait: copy_ to the host")
        return isinstance(target, Cuda)
    source = call.args[0]
    if call.device is None:
        return isinstance(source, Cuda)
    if isinstance(source, Cuda) and call.device.type == "cpu":
        SEEN.note("wait: copy to the host")
    elif not isinstance(source, Cuda) and call.device.type == "cuda":
        ahead = call.kwargs.get("non_blocking", False)
        SEEN.note("copy to the device" if ahead else "wait: copy to the device")
    return call.device.type == "cuda"


def _cpu_words(call: Call) -> dict[str, Any]:
    words: dict[str, Any] = tree_map(_unwrapped, call.kwargs)
    if words.get("device") is not None:
        words["device"] = torch.device("cpu")
    if words.get("pin_memory"):
        words["pin_memory"] = False
    if call.name == "aten::_to_copy":
        words.pop("non_blocking", None)
    return words


def _unwrapped(x: Any) -> Any:
    return x.held if isinstance(x, Cuda) else x


def _line() -> str:
    """The innermost line of the project, or of an optimiser, on the stack."""
    for frame in reversed(traceback.extract_stack()):
        if "/without_gpu/" not in frame.filename and any(p in frame.filename for p in _OURS):
            return f"{frame.filename.split('site-packages/')[-1]}:{frame.lineno}"
    return "?"
