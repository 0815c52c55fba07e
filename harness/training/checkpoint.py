"""Weights and training state as safetensors: nothing in them can run code."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from harness.base.errors import CheckpointError
from harness.base.files import in_utf8, replacing
from harness.training.weights import describe_misfit, is_ours, read_about, read_file
from harness.training.wrappers import fitted, state_of

_MODEL = "model."
_OPTIMISER = "optimiser."


def save_weights(path: Path, model: nn.Module, about: Mapping[str, Any]) -> None:
    """Write a model's state with JSON-ready facts about it."""
    tensors = {k: _stored(v) for k, v in model.state_dict().items()}
    with replacing(path) as temporary:
        save_file(tensors, temporary, metadata={"about": json.dumps(about)})


def read_weights(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The tensors of a weights file, ours or one saved by torch.save, and what is said of them.

    Raises:
        CheckpointError: No such file, a damaged one, or one that holds arbitrary objects.
    """
    content = read_file(path)
    # A name that begins like a wrapper's is the model's own where we wrote it.
    state = content if is_ours(path) else state_of(content, str(path))
    return state, read_about(path)


def load_into(model: nn.Module, state: Mapping[str, Tensor], source: str) -> None:
    """Load every tensor, under its name or behind a wrapper's prefix, or say what does not fit.

    Raises:
        CheckpointError: Missing or unknown names, or other shapes (another class count).
    """
    state = fitted(model.state_dict(), state)
    misfit = describe_misfit(model.state_dict(), state)
    if misfit:
        raise CheckpointError(
            seen=f"{source} does not fit the model: {misfit}",
            expected=f"the {len(model.state_dict())} tensors of this model; a classifier has one "
            "row for each identity of train",
            do="give the method options it was trained with (--set config.KEY=VALUE), and if it "
            "was trained on another data set, with how many identities: --classes N",
        )
    model.load_state_dict(state)


def save_state(
    path: Path, model: nn.Module, optimiser: torch.optim.Optimizer, about: Mapping[str, Any]
) -> None:
    """Write everything needed to go on: the model, the optimiser's tensors, and `about`."""
    tensors = {_MODEL + k: _stored(v) for k, v in model.state_dict().items()}
    saved = optimiser.state_dict()
    for number, slots in saved["state"].items():
        for slot, value in slots.items():
            # An empty momentum is None before the first step; its absence says the same.
            if value is not None:
                tensors[f"{_OPTIMISER}{number}.{slot}"] = _stored(torch.as_tensor(value))
    with replacing(path) as temporary:
        save_file(tensors, temporary, metadata={"about": json.dumps(about)})


def load_state(path: Path, model: nn.Module, optimiser: torch.optim.Optimizer) -> dict[str, Any]:
    """Put a saved state back and return its `about`."""
    with in_utf8(path) as place, safe_open(place, framework="pt") as file:
        names = list(file.keys())
        tensors = {n: file.get_tensor(n) for n in names}
        about: dict[str, Any] = json.loads(file.metadata()["about"])
    model.load_state_dict({_after(n, _MODEL): t for n, t in tensors.items() if n[:6] == _MODEL})
    slots: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        if name.startswith(_OPTIMISER):
            number, slot = _after(name, _OPTIMISER).split(".", 1)
            slots.setdefault(int(number), {})[slot] = tensor
    groups = optimiser.state_dict()["param_groups"]
    optimiser.load_state_dict({"state": slots, "param_groups": groups})
    _lay_out(optimiser)
    return about


def _lay_out(optimiser: torch.optim.Optimizer) -> None:
    """Let each momentum lie in memory as its weights do, which a fused optimiser takes as given."""
    for parameter, slots in optimiser.state.items():
        for slot, value in slots.items():
            if value.shape == parameter.shape:
                slots[slot] = torch.empty_like(parameter).copy_(value)


def needed_bytes(model: nn.Module, copies: int) -> int:
    """The room that `copies` of a model's weights take on disk."""
    sizes = (math.prod(v.shape) * v.element_size() for v in model.state_dict().values())
    return copies * int(sum(sizes))


def _stored(tensor: Tensor) -> Tensor:
    # A clone, since safetensors refuses two names for one memory.
    return tensor.detach().to("cpu", copy=True).contiguous()


def _after(name: str, prefix: str) -> str:
    return name[len(prefix) :]
