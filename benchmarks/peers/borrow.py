"""Import other people's code as it lies there, with placeholders for what is missing around it.

Research code imports names that it never uses, of libraries that moved on or are not installed
(editors put them there). A placeholder stands in for such a name; using it is an error that says
so. No file of theirs is changed.
"""

from __future__ import annotations

import importlib
import re
import sys
import types
from pathlib import Path

# A library that looks inside another one: the whole of it is replaced instead.
_INSTEAD = {"tensorboard": "torch.utils.tensorboard"}
_MOST = 60


def borrowed(root: Path, module: str, *, prefer: Path | None = None) -> types.ModuleType:
    """The module `module` of the checkout at `root`.

    Args:
        root: Goes to the front of the import path.
        module: Its dotted name there.
        prefer: A folder to look in even before, such as one with built extensions.

    Raises:
        ImportError: What is missing is the peer's own, or too much is.
    """
    sys.path[:0] = [str(path) for path in (prefer, root) if path is not None]
    _old_names()
    package = module.partition(".")[0]
    for _ in range(_MOST):
        try:
            return importlib.import_module(module)
        except ImportError as error:
            if not _stand_in(error, package):
                raise
            # What was imported by halves is imported again.
            for name in [n for n in sys.modules if n.partition(".")[0] == package]:
                del sys.modules[name]
    raise ImportError(f"{module} of {root} lacks more than {_MOST} names")


def _old_names() -> None:
    """Names that NumPy had when the peers were written."""
    import numpy as np

    for name, kind in {"float": float, "int": int, "object": object}.items():
        if name not in np.__dict__:
            setattr(np, name, kind)


def _stand_in(error: ImportError, package: str) -> bool:
    """Put a placeholder where the import failed; False where that is the peer's own affair."""
    if isinstance(error, ModuleNotFoundError):
        name = _INSTEAD.get(str(error.name), str(error.name))
        if name.partition(".")[0] == package or name in sys.modules:
            return False
        sys.modules[name] = _Missing(name)
        parent, _, last = name.rpartition(".")
        if parent in sys.modules:
            setattr(sys.modules[parent], last, sys.modules[name])
        return True
    found = re.search(r"cannot import name '(\w+)' from '([\w.]+)'", str(error))
    if found is None or found[2].partition(".")[0] == package:
        return False
    setattr(sys.modules[found[2]], found[1], _placeholder(f"{found[2]}.{found[1]}"))
    return True


class _Missing(types.ModuleType):
    """A module that is not there; every name of it is a placeholder."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.__path__: list[str] = []

    def __getattr__(self, name: str) -> type:
        if name.startswith("__"):
            raise AttributeError(name)
        return _placeholder(f"{self.__name__}.{name}")


def _placeholder(name: str) -> type:
    """A class that refuses to be made, so that it may also be a base or a decorator."""

    def refuse(self: object, *_: object, **__: object) -> None:
        raise ImportError(f"the peer uses {name}, which is not there")

    return type(name.rpartition(".")[2], (), {"__init__": refuse})
