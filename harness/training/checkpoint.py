"""Weights and training state as safetensors: nothing in them can run code."""

from __future__ import annotations

import json
import math
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from harness.errors import CheckpointError
from harness.files import replacing

_MODEL = "model."
_OPTIMISER = "optimiser."


def save_weights(path: Path, model: nn.Module, about: Mapping[str, Any]) -> None:
    """Write a model's state with JSON-ready facts about it."""
    tensors = {k: _stored(v) for k, v in model.state_dict().items()}
    with replacing(path) as temporary:
        save_file(tensors, temporary, metadata={"about": json.dumps(about)})


def read_weights(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The tensors of a weights file, ours or one saved by torch.save, and what is said of them.

    A torch file is read with `weights_only`, and may hold the tensors directly or under
    `state_dict`, with or without DataParallel's `module.` before each name.

    Raises:
        CheckpointError: No such file, a damaged one, or one that holds arbitrary objects.
    """
    if not path.is_file():
        raise CheckpointError(
            seen=f"there is no file {path}",
            expected="a weights file: .safetensors, or one written by torch.save",
            do="check the path; a run of ours keeps weights.safetensors in its folder",
        )
    try:
        if path.suffix == ".safetensors":
            with safe_open(path, framework="pt") as file:
                about = json.loads((file.metadata() or {}).get("about", "{}"))
                return {k: file.get_tensor(k) for k in file.keys()}, about  # noqa: SIM118
        return _plain_tensors(torch.load(path, map_location="cpu", weights_only=True)), {}
    except (SafetensorError, pickle.UnpicklingError, RuntimeError, EOFError, ValueError) as error:
        raise CheckpointError(
            seen=f"{path} cannot be read as weights: {str(error).splitlines()[0]}",
            expected="tensors only: .safetensors, or torch.save of a state dict",
            do="save it again as a state dict; a file that needs pickled objects is refused, "
            "because loading one can run any code",
        ) from error


def _plain_tensors(found: Any) -> dict[str, Tensor]:
    state = found.get("state_dict", found) if isinstance(found, Mapping) else None
    if not isinstance(state, Mapping) or not all(isinstance(v, Tensor) for v in state.values()):
        raise ValueError("it holds no mapping of names to tensors")
    return {k.removeprefix("module."): v for k, v in state.items()}


def load_into(model: nn.Module, state: Mapping[str, Tensor], source: str) -> None:
    """Load every tensor, or say what does not fit.

    Raises:
        CheckpointError: Missing or unknown names, or other shapes (another class count).
    """
    own = model.state_dict()
    missing, extra = sorted(own.keys() - state.keys()), sorted(state.keys() - own.keys())
    if missing or extra:
        raise CheckpointError(
            seen=f"{source} lacks {len(missing)} tensors{_some(missing)} and has {len(extra)} "
            f"unknown ones{_some(extra)}",
            expected=f"the {len(own)} tensors of this model",
            do="give the method options it was trained with (--set config.KEY=VALUE), or the "
            "right --method",
        )
    wrong = [k for k in own if own[k].shape != state[k].shape]
    if wrong:
        name = wrong[0]
        raise CheckpointError(
            seen=f"{source} has {name} of shape {tuple(state[name].shape)} "
            f"(and {len(wrong) - 1} more that differ)",
            expected=f"shape {tuple(own[name].shape)}; a classifier has one row for each identity "
            "of train",
            do="if it was trained on another data set, say with how many identities: --classes N",
        )
    model.load_state_dict(dict(state))


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
    with safe_open(path, framework="pt") as file:
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
    return about


def needed_bytes(model: nn.Module, copies: int) -> int:
    """The room that `copies` of a model's weights take on disk."""
    sizes = (math.prod(v.shape) * v.element_size() for v in model.state_dict().values())
    return copies * int(sum(sizes))


def _stored(tensor: Tensor) -> Tensor:
    # A clone, since safetensors refuses two names for one memory.
    return tensor.detach().to("cpu", copy=True).contiguous()


def _after(name: str, prefix: str) -> str:
    return name[len(prefix) :]


def _some(names: list[str]) -> str:
    return f" ({', '.join(names[:3])}{', ...' if len(names) > 3 else ''})" if names else ""
