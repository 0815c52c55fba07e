"""Reading the tensors of a TorchScript archive without running anything from it."""

from __future__ import annotations

import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

_TYPES = {
    "BFloat16Storage": torch.bfloat16,
    "BoolStorage": torch.bool,
    "ByteStorage": torch.uint8,
    "DoubleStorage": torch.float64,
    "FloatStorage": torch.float32,
    "HalfStorage": torch.float16,
    "IntStorage": torch.int32,
    "LongStorage": torch.int64,
}


def is_torchscript(path: Path) -> bool:
    """Whether a file is such an archive: a zip with the constants of a program in it."""
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(name.endswith("/constants.pkl") for name in archive.namelist())


def read_torchscript(path: Path) -> dict[str, Tensor]:
    """The tensors of a scripted or traced module by their dotted names, on the CPU.

    The archive holds a program, a pickle of the module's attributes and the bytes of its tensors.
    The program is not looked at. The pickle is read by an unpickler that knows tensors and inert
    stand-ins for the module's classes, and refuses every other name; so nothing in the file can
    run, which `torch.jit.load` does not promise.

    Raises:
        ValueError: It is damaged, or its pickle names anything else.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            root = _root(archive)
            return dict(_tensors(_Attributes(archive, root).load()))
    except (
        AttributeError,
        EOFError,
        IndexError,
        KeyError,
        pickle.UnpicklingError,
        RuntimeError,
        TypeError,
        zipfile.BadZipFile,
    ) as error:
        raise ValueError(f"a damaged or foreign TorchScript archive: {error}") from error


class _Module:
    """In place of an object of a class that the archive's program declares."""

    attributes: Any = None

    def __setstate__(self, attributes: Any) -> None:
        self.attributes = attributes


class _Attributes(pickle.Unpickler):
    """Makes tensors and `_Module`s of the archive's pickle, and nothing else."""

    def __init__(self, archive: zipfile.ZipFile, root: str) -> None:
        super().__init__(BytesIO(archive.read(f"{root}/data.pkl")))
        self._archive, self._root = archive, root

    def find_class(self, module: str, name: str) -> Any:
        if module == "__torch__" or module.startswith("__torch__."):
            return _Module
        if module == "torch" and name in _TYPES:
            return _TYPES[name]
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _strided
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if module == "torch.jit._pickle":  # wraps lists with their type
            return _plain
        raise pickle.UnpicklingError(f"it names {module}.{name}, which is no part of a module")

    def persistent_load(self, pid: Any) -> Tensor:
        """The numbers of one storage, flat; where they once lay does not matter."""
        kind, dtype, key, _, count = pid
        data = self._archive.read(f"{self._root}/data/{key}")
        if kind != "storage" or len(data) != count * dtype.itemsize:
            raise pickle.UnpicklingError(f"its storage {key} is not of {count} numbers")
        if not count:
            return torch.empty(0, dtype=dtype)
        return torch.frombuffer(bytearray(data), dtype=dtype)


def _strided(flat: Tensor, offset: int, size: Any, stride: Any, *_: Any) -> Tensor:
    return flat.as_strided(tuple(size), tuple(stride), offset).clone()


def _plain(found: Any, *_: Any) -> Any:
    return found


def _root(archive: zipfile.ZipFile) -> str:
    """The folder that all files of the archive lie in."""
    return next(n for n in archive.namelist() if n.endswith("/constants.pkl")).rpartition("/")[0]


def _tensors(module: Any, prefix: str = "") -> Iterator[tuple[str, Tensor]]:
    attributes = module.attributes if isinstance(module, _Module) else None
    for name, value in (attributes or {}).items():
        if isinstance(value, Tensor):
            yield prefix + name, value
        else:
            yield from _tensors(value, f"{prefix}{name}.")
