"""Reading tensors from files without running code from them, and saying what does not fit."""

from __future__ import annotations

import argparse
import datetime
import json
import pickle
import re
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath, PureWindowsPath
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from harness.base.errors import CheckpointError
from harness.base.files import in_utf8

_ABOUT = "about"
# Arrays of objects are not among them.
_NUMPY_KINDS = "?bBhHiIlLqQefdgFDSU"
_PATHLIB = ("pathlib", "pathlib._local")
# What files that are no weights begin with, and weights that were cut short.
_HEADS = {
    b"version https://git-lfs": "it is Git LFS's note of where it is; git lfs pull fetches it",
    b"<": "a web page was saved in its place; download it again",
    b"PK": "it is cut short or damaged; download it again",
    b"\x1f\x8b": "it is compressed; unpack it first",
    b"\x80": "it is a pickle, of another program than torch.save or cut short",
}
# What torch could not make of a file that it opened.
_INSIDE = re.compile(r"WeightsUnpickler error: (.+)")
# Torch's words for a type it will not make of a file.
_REFUSED = re.compile(r"(?:GLOBAL|class|type) ([\w.]+\.\w+)")


def read_file(path: Path) -> dict[str, Any]:
    """What a .safetensors or torch file holds, by name; a checkpoint's other entries too.

    Raises:
        CheckpointError: No such file, a damaged one, or one that holds arbitrary objects.
    """
    if not path.is_file():
        raise CheckpointError(
            seen=f"there is no file {path}",
            expected="a weights file: .safetensors, or one written by torch.save",
            do="check the path",
        )
    try:
        if path.suffix == ".safetensors":
            with in_utf8(path) as place, safe_open(place, framework="pt") as file:
                return {k: file.get_tensor(k) for k in file.keys()}  # noqa: SIM118
        with torch.serialization.safe_globals(_plain_types()):
            content = torch.load(path, map_location="cpu", weights_only=True)
    except (SafetensorError, pickle.UnpicklingError, RuntimeError, EOFError, ValueError) as error:
        raise _unreadable(path, error) from error
    if not isinstance(content, dict):
        raise CheckpointError(
            seen=f"{path} holds a {type(content).__name__}",
            expected="a dictionary of tensors by parameter name",
            do="save `model.state_dict()` instead of the model",
        )
    return content


def read_about(path: Path) -> dict[str, Any]:
    """What one of our weights files says of itself; empty for any other file."""
    try:
        found = json.loads(_metadata(path).get(_ABOUT, "{}"))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def is_ours(path: Path) -> bool:
    """Whether a weights file is one that `save_weights` wrote."""
    return _ABOUT in _metadata(path)


def _metadata(path: Path) -> dict[str, str]:
    if path.suffix != ".safetensors":
        return {}
    try:
        with in_utf8(path) as place, safe_open(place, framework="pt") as file:
            return file.metadata() or {}
    except (SafetensorError, OSError):
        return {}


def describe_misfit(
    want: Mapping[str, Tensor], got: Mapping[str, Tensor], unexpected: Iterable[str] | None = None
) -> str | None:
    """What keeps a state dict from fitting, naming the first few keys, or None when it fits.

    Args:
        want: The model's own state dict.
        got: The one to load.
        unexpected: Keys to complain about; by default all that `want` lacks.
    """
    extra = [k for k in got if k not in want] if unexpected is None else list(unexpected)
    missing = [k for k in want if k not in got]
    shapes = [
        f"{k} ({_shape(got[k])} in the file, {_shape(want[k])} in the model)"
        for k in want
        if k in got and want[k].shape != got[k].shape
    ]
    parts = [("missing", missing), ("unexpected", extra), ("of another shape", shapes)]
    told = [f"{len(keys)} {what}: {_first(keys)}" for what, keys in parts if keys]
    return "; ".join(told) or None


def first_line(error: BaseException) -> str:
    """The first line of an error's text, or its kind when it has none."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _first(keys: list[str], count: int = 3) -> str:
    more = f" and {len(keys) - count} more" if len(keys) > count else ""
    return ", ".join(keys[:count]) + more


def _shape(tensor: Tensor) -> str:
    return "x".join(map(str, tensor.shape)) or "scalar"


def _unreadable(path: Path, error: Exception) -> CheckpointError:
    return CheckpointError(
        seen=f"{path} cannot be read as weights: {_why(path, error)}",
        expected="tensors by name: .safetensors, or torch.save of a state dict or checkpoint",
        do="save it again as a state dict; a file that needs pickled objects is refused, "
        "because loading one can run any code",
    )


def _why(path: Path, error: Exception) -> str:
    kind = _REFUSED.search(str(error))
    if kind is not None:
        return f"it holds a {kind[1]}, and only tensors, numbers, text and arrays of them are read"
    if path.suffix == ".safetensors":
        return first_line(error)
    with path.open("rb") as file:
        head = file.read(64)
    if not head:
        return "it is empty"
    inside = _INSIDE.search(str(error))
    if inside is not None and head.startswith(b"PK"):
        return inside[1]
    told = next((words for start, words in _HEADS.items() if head.startswith(start)), None)
    # Torch's own words for what is none of its files ask people to let the file run code.
    return told or f"it begins with {head[:16]!r}, as no file of torch.save does"


def _plain_types() -> list[Any]:
    """What torch may build of a checkpoint beside tensors, under the names of NumPy 1 and 2.

    Checkpoints of the field keep their mAP as a NumPy number beside the weights, their CMC as an
    array, their options as a Namespace, where and when they were made. All are values: making one
    runs no code of the file.
    """
    scalar = np.float64(0).__reduce__()[0]
    array = np.zeros(0).__reduce__()[0]
    modules = ("numpy.core.multiarray", "numpy._core.multiarray")
    return [
        *((scalar, f"{module}.scalar") for module in modules),
        *((array, f"{module}._reconstruct") for module in modules),
        np.ndarray,
        np.dtype,
        *(type(np.dtype(kind)) for kind in _NUMPY_KINDS),
        argparse.Namespace,
        SimpleNamespace,
        *(
            getattr(datetime, name)
            for name in ("datetime", "date", "time", "timedelta", "timezone")
        ),
        # As Python 3.13 calls them, too; a path of another system is none to be opened.
        *((PurePosixPath, f"{m}.{c}PosixPath") for m in _PATHLIB for c in ("", "Pure")),
        *((PureWindowsPath, f"{m}.{c}WindowsPath") for m in _PATHLIB for c in ("", "Pure")),
    ]
