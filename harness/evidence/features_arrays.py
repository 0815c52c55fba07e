"""The arrays of a features file, and one guard for all layouts: what is refused and why."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.base.errors import FeaturesError
from harness.spec.modality import MODALITIES, Modality

Arrays = Mapping[str, NDArray[Any]]

LABELS = ("pids", "camids", "scenes")
LAYOUTS = {"plain": ("",), "sides": ("query_", "gallery_")}
"""What stands before the arrays' names."""

_ZIP, _SINGLE = b"PK", b"\x93NUMPY"
_WRITE = "np.savez(path, features=features, names=np.array(names, dtype=str))"


class Rows(NamedTuple):
    """The descriptors of one list, checked, in the file's order."""

    prefix: str
    features: NDArray[np.float32]
    names: tuple[str, ...]
    labels: dict[str, NDArray[Any]]
    """Those of `LABELS` that the file has."""


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Every array of a file, `names` among them where safetensors keep them in the metadata.

    Raises:
        FeaturesError: No such file, not of these formats, or pickled objects in it.
    """
    return _read_safetensors(path) if path.suffix == ".safetensors" else read_npz(path)


def rows_of(arrays: Arrays, prefix: str, modalities: tuple[Modality, ...], path: Path) -> Rows:
    """One list of a file: as many of everything, of the right types, each name once, no NaN.

    Args:
        arrays: All of the file's.
        prefix: Empty in the plain layout, `query_` or `gallery_` in the other.
        modalities: Those of the side, for a file with an array for each.
        path: The file, for messages.

    Raises:
        FeaturesError: The first thing that does not hold.
    """
    names = _names(arrays, prefix, path)
    parts = _parts(arrays, prefix, modalities, path)
    labels = {field: arrays[prefix + field] for field in LABELS if prefix + field in arrays}
    for name, part in parts.items():
        if part.ndim != 2 or part.shape[1] == 0 or part.dtype.kind != "f":
            raise refused(
                path,
                f"{name} has shape {part.shape} and type {part.dtype}",
                f"(n, d) floating point with d from 1, a row for each of the {len(names)} names",
                f"save {name} as an array of rows: features.reshape(n, -1).astype('float32')",
            )
    for field, label in labels.items():
        if label.ndim != 1 or label.dtype.kind not in "iu":
            raise refused(
                path,
                f"{prefix}{field} has shape {label.shape} and type {label.dtype}",
                f"({len(names)},) whole numbers, or no {prefix}{field}",
                f"leave {prefix}{field} out: the data set knows them",
            )
    _require_as_many(
        names, parts | {prefix + f: label for f, label in labels.items()}, prefix, path
    )
    _require_finite(names, parts, path)
    _require_once(names, prefix, path)
    features = np.concatenate([p.astype(np.float32) for p in parts.values()], axis=1)
    return Rows(prefix, features, names, labels)


def refused(path: Path, seen: str, expected: str, do: str) -> FeaturesError:
    """An error that begins with the file."""
    return FeaturesError(f"{path}: {seen}", expected, do)


def _require_as_many(names: tuple[str, ...], arrays: Arrays, prefix: str, path: Path) -> None:
    if all(len(array) == len(names) for array in arrays.values()):
        return
    counts = [f"{n} has {len(a)} rows (shape {a.shape})" for n, a in arrays.items()]
    raise refused(
        path,
        f"{', '.join(counts)} and {prefix}names has {len(names)}",
        f"({len(names)}, d), as many rows as names",
        "save features, names and labels of the same images together",
    )


def _require_finite(names: tuple[str, ...], parts: Arrays, path: Path) -> None:
    for name, part in parts.items():
        # Of the type they are scored in: a double may be beyond it.
        with np.errstate(over="ignore"):
            bad = np.flatnonzero(~np.isfinite(part.astype(np.float32)).all(axis=1))
        if bad.size:
            raise refused(
                path,
                f"{bad.size} rows of {name} hold NaN or infinite numbers (or such that float32 "
                f"cannot hold), the first is row {int(bad[0])} ({names[bad[0]]})",
                "finite numbers",
                "look at that image's features in the program that made them",
            )


def _require_once(names: tuple[str, ...], prefix: str, path: Path) -> None:
    seen: dict[str, int] = {}
    for row, name in enumerate(names):
        first = seen.setdefault(name, row)
        if first != row:
            twice = len(names) - len(set(names))
            raise refused(
                path,
                f"{prefix}names has {name} more than once, in rows {first} and {row}; "
                f"{len(names)} rows have {len(names) - twice} names",
                "each name once",
                "keep one row for each image",
            )


def _names(arrays: Arrays, prefix: str, path: Path) -> tuple[str, ...]:
    key = prefix + "names"
    found = arrays.get(key)
    if found is not None and found.dtype.kind == "S":
        # As NumPy keeps names that were bytes.
        found = np.char.decode(found, "utf-8", "surrogateescape")
    if found is None or found.dtype.kind != "U" or found.ndim != 1:
        here = f"it has {', '.join(arrays) or 'nothing'}"
        if found is not None:
            here = f"{key} has shape {found.shape} and type {found.dtype}"
        raise FeaturesError(
            seen=f"{path} has no list of names; {here}",
            expected=f"{key} (n,), text: the file name of each row, such as 000258_cam1_0_00.jpg",
            do=f"add {key}=np.array(names, dtype=str) beside the features",
        )
    return tuple(found.tolist())


def _parts(
    arrays: Arrays, prefix: str, modalities: tuple[Modality, ...], path: Path
) -> dict[str, NDArray[Any]]:
    """The arrays that make up a descriptor, by their names in the file."""
    whole = prefix + "features"
    if whole in arrays:
        return {whole: arrays[whole]}
    parts: dict[str, NDArray[Any]] = {}
    if not prefix:
        parts |= {m: arrays[m] for m in modalities if m in arrays}
    if prefix or len(parts) < len(modalities):
        more = "" if prefix else f", or one for each of {', '.join(modalities)}"
        more += "" if prefix else f" (of {', '.join(MODALITIES)})"
        raise FeaturesError(
            seen=f"{path} has the arrays {', '.join(arrays) or 'none'}",
            expected=f"{whole}{more}",
            do="add the missing array"
            + ("" if prefix else ", or choose a protocol with fewer modalities"),
        )
    return parts


def read_npz(path: Path) -> dict[str, NDArray[Any]]:
    """Every array of an .npz file.

    Raises:
        FeaturesError: No such file, not an .npz, or pickled objects in it.
    """
    _require_file(path)
    try:
        _require_zip(path)
        with np.load(path, allow_pickle=False) as file:
            found = {k: file[k] for k in file.files}
        odd = next((k for k, v in found.items() if not isinstance(v, np.ndarray)), None)
        if odd is not None:
            raise ValueError(f"{odd} in it is no array")
        return found
    except (ValueError, OSError, EOFError, KeyError, zipfile.BadZipFile) as error:
        pickled = "allow_pickle" in str(error)
        raise FeaturesError(
            seen=f"{path} " + ("holds pickled objects" if pickled else f"is no npz file: {error}"),
            expected="an .npz of plain arrays: features (n, d) float and names (n,) text",
            do=f"write it with {_WRITE}"
            + (
                "; pickled objects are refused because loading one can run any code"
                if pickled
                else ""
            ),
        ) from error


def _require_zip(path: Path) -> None:
    # NumPy takes whatever is neither for a pickle, and says so.
    with path.open("rb") as file:
        head = file.read(len(_SINGLE))
    if head.startswith(_SINGLE):
        raise ValueError("it is a single array without names, as np.save writes it")
    if not head.startswith(_ZIP):
        raise ValueError("it is empty" if not head else f"it begins with {head!r}")


def _read_safetensors(path: Path) -> dict[str, NDArray[Any]]:
    from safetensors import SafetensorError, safe_open

    _require_file(path)
    try:
        with safe_open(path, framework="np") as file:
            found = {k: file.get_tensor(k) for k in file.keys()}  # noqa: SIM118
            names = json.loads((file.metadata() or {}).get("names", "null"))
    except (SafetensorError, OSError, ValueError, TypeError) as error:
        raise FeaturesError(
            seen=f"{path} is no safetensors file: {error}",
            expected="tensors with the names as a JSON list in the metadata",
            do="write it with save_file(tensors, path, metadata={'names': json.dumps(names)})",
        ) from error
    if names is not None:
        if not (isinstance(names, list) and all(isinstance(n, str) for n in names)):
            raise refused(
                path,
                f"names in the metadata is {json.dumps(names)[:80]}",
                "a JSON list of texts: the file name of each row",
                "metadata={'names': json.dumps([str(n) for n in names])}",
            )
        found["names"] = np.array(names, dtype=np.str_)
    return found


def _require_file(path: Path) -> None:
    if not path.is_file():
        raise FeaturesError(
            seen=f"there is no file {path}",
            expected="a features file, .npz or .safetensors",
            do="check the path; a run of ours keeps features.npz in its folder",
        )
