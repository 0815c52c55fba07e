"""Networks of several modalities side by side on a GPU; one after the other elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import torch
from torch import Tensor

from harness.base.parallel import world
from harness.training.shared import mapped

_Key = TypeVar("_Key")
_Out = TypeVar("_Out")


def side_by_side(
    networks: Mapping[_Key, Callable[..., _Out]], inputs: Mapping[_Key, tuple[Any, ...]]
) -> dict[_Key, _Out]:
    """What each network makes of its own inputs, in the networks' order.

    A kernel on eight images fills a part of a big GPU, so in training there each network has a
    stream of its own, on the way back too, as torch's autograd keeps to it. Every kernel is the
    one it would be alone, so the numbers are the same; one grouped pass for all would take other
    kernels, and cuDNN's grouped convolutions are made for narrow groups.

    Args:
        networks: Functions that do not depend on each other.
        inputs: For each at least, its arguments; tensors among them, in any nesting.

    Returns:
        By the keys of `networks`, which may be used by what comes after.
    """
    device = _device(inputs)
    if device is None or len(networks) < 2 or not torch.is_grad_enabled() or world().size > 1:
        return {key: network(*inputs[key]) for key, network in networks.items()}
    if torch.compiler.is_compiling():
        # The compiler makes one program of all, which it cannot cut into streams.
        return {key: network(*inputs[key]) for key, network in networks.items()}
    here = torch.cuda.current_stream(device)
    found = {}
    streams = _streams(device, len(networks))
    for stream, (key, network) in zip(streams, networks.items(), strict=True):
        stream.wait_stream(here)
        _used_by(inputs[key], stream)
        with torch.cuda.stream(stream):
            found[key] = network(*inputs[key])
    for stream in streams:
        here.wait_stream(stream)
    _used_by(found, here)
    return found


_KEPT: dict[tuple[torch.device, int], tuple[torch.cuda.Stream, ...]] = {}


def _streams(device: torch.device, count: int) -> tuple[torch.cuda.Stream, ...]:
    # The same ones each time: torch keeps freed memory by stream, and libraries their workspace.
    key = (device, count)
    if key not in _KEPT:
        made = (torch.cuda.Stream(device) for _ in range(count))  # type: ignore[no-untyped-call]
        _KEPT[key] = tuple(made)
    return _KEPT[key]


def _used_by(tree: Any, stream: torch.cuda.Stream) -> None:
    """Let memory of another stream not be used anew before this one is done with it."""
    mapped(tree, lambda tensor, _: tensor.record_stream(stream))


def _device(inputs: Mapping[Any, tuple[Any, ...]]) -> torch.device | None:
    """The GPU that the first tensor lies on; None for a CPU."""
    first: list[Tensor] = []
    mapped(next(iter(inputs.values()), ()), lambda tensor, _: first.append(tensor))
    return first[0].device if first and first[0].is_cuda else None
