"""A device that is not there: a CPU's numbers under another name, where every wait is counted.

Its tensors say that they lie on `meta`, which asks nothing of the machine, and hold a CPU tensor
each. What mixes them with a CPU's raises, as on a GPU; what would make the host wait for a GPU, a
copy either way or a shape that depends on numbers, is noted with its line of the project.
"""

from __future__ import annotations

import collections
import contextlib
import sys
import traceback
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

DEVICE = torch.device("meta")
Waits = collections.Counter[str]

# Operations whose answer the host needs before it can go on.
_ASKS = {
    *("_local_scalar_dense", "is_nonzero", "equal", "nonzero", "masked_select"),
    *("_unique2", "unique_dim", "unique_consecutive", "bincount"),
}
_INDEXES = {"index", "index_put", "index_put_", "_index_put_impl_", "_unsafe_index"}
_OURS = ("/harness/", "/ieee/", "/baselines/")


class There(Tensor):
    """A tensor on the device that is not there."""

    held: Tensor

    @staticmethod
    def __new__(cls, held: Tensor) -> There:
        made: There = Tensor._make_wrapper_subclass(  # type: ignore[attr-defined]
            cls,
            held.size(),
            strides=held.stride(),
            storage_offset=held.storage_offset(),
            dtype=held.dtype,
            device=DEVICE,
        )
        made.held = held
        return made

    @classmethod
    def __torch_dispatch__(
        cls, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        return _done(func, args, kwargs or {}, collections.Counter())


class _Counting(TorchDispatchMode):
    def __init__(self, waits: Waits) -> None:
        super().__init__()
        self.waits = waits

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        return _done(func, args, kwargs or {}, self.waits)


@contextlib.contextmanager
def pretended(monkeypatch: pytest.MonkeyPatch) -> Iterator[Waits]:
    """Within, `DEVICE` computes; gives the waits by what and where, which may be cleared."""
    from torch.utils import _foreach_utils

    waits: Waits = collections.Counter()
    made = torch.tensor

    def tensor(data: Any, *, device: Any = None, **more: Any) -> Tensor:
        found = made(data, **more)
        return found if device is None else found.to(device)

    def new_tensor(self: Tensor, data: Any, **more: Any) -> Tensor:
        return tensor(data, **{"dtype": self.dtype, "device": self.device, **more})

    # These make their tensor beneath what a mode sees.
    monkeypatch.setattr(torch, "tensor", tensor)
    monkeypatch.setattr(Tensor, "new_tensor", new_tensor)
    # Nothing is computed in bf16 here, and the word is refused for this device.
    monkeypatch.setattr(torch, "autocast", lambda *_, **__: contextlib.nullcontext())
    kinds = [*_foreach_utils._get_fused_kernels_supported_devices(), DEVICE.type]
    named = "_get_fused_kernels_supported_devices"
    for module in (_foreach_utils, sys.modules["torch.optim.optimizer"]):
        monkeypatch.setattr(module, named, lambda: kinds)
    # Where a GPU with room has them.
    monkeypatch.setattr("harness.training.pixels._place", lambda *_: "resident")
    before = torch.__future__.get_overwrite_module_params_on_conversion()
    torch.__future__.set_overwrite_module_params_on_conversion(True)
    try:
        with _Counting(waits):
            yield waits
    finally:
        torch.__future__.set_overwrite_module_params_on_conversion(before)


def _done(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any], waits: Waits) -> Any:
    name = func._schema.name.removeprefix("aten::")
    tensors = [x for x in tree_leaves((args, kwargs)) if isinstance(x, Tensor)]
    there = [x for x in tensors if isinstance(x, There)]
    wanted = kwargs.get("device")
    to = bool(there) if wanted is None else torch.device(wanted) == DEVICE
    if name == "_to_copy":
        _note(waits, "a copy", isinstance(args[0], There) != to)
    elif name == "copy_":
        to = isinstance(args[0], There)
        _note(waits, "a copy", isinstance(args[1], There) != to)
    elif there:
        _require_one_device(name, tensors)
        _note(waits, name, name in _ASKS or _has_mask(name, args))
    if wanted is not None:
        kwargs = kwargs | {"device": torch.device("cpu")}
    kwargs = {k: v for k, v in kwargs.items() if k not in ("pin_memory", "non_blocking")}
    out = func(*tree_map(_held, args), **tree_map(_held, kwargs))
    same = {id(x.held): x for x in there}

    def back(x: Any) -> Any:
        if not isinstance(x, Tensor) or isinstance(x, There) or not to:
            return x
        return same[id(x)] if id(x) in same else There(x)

    return tree_map(back, out)


def _require_one_device(name: str, tensors: list[Tensor]) -> None:
    for x in tensors:
        # A number may come from anywhere.
        if not isinstance(x, There) and x.ndim > 0:
            raise RuntimeError(f"{name}: a tensor of the CPU's among the device's, {_where()}")


def _has_mask(name: str, args: tuple[Any, ...]) -> bool:
    if name not in _INDEXES:
        return False
    return any(isinstance(x, Tensor) and x.dtype == torch.bool for x in tree_leaves(args[1]))


def _held(x: Any) -> Any:
    return x.held if isinstance(x, There) else x


def _note(waits: Waits, what: str, really: bool) -> None:
    if really:
        waits[f"{what}, {_where()}"] += 1


def _where() -> str:
    for frame in reversed(traceback.extract_stack()):
        if any(part in frame.filename for part in _OURS) and "/tests/" not in frame.filename:
            return f"{'/'.join(frame.filename.split('/')[-3:])}:{frame.lineno}"
    return "torch"
