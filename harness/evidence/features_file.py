"""Descriptors on disk, ours or another program's: npz or safetensors, never pickled objects."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.base.errors import FeaturesError
from harness.base.files import replacing
from harness.base.progress import say
from harness.data.lint import labels_of
from harness.scoring.labels import Labels
from harness.spec.dataset import Sample
from harness.spec.modality import MODALITIES, Modality


class Side(NamedTuple):
    """The descriptors of a query or gallery list, in its order, and who is who."""

    features: NDArray[np.float32]
    names: tuple[str, ...]
    labels: Labels


def write_features(path: Path, query: Side, gallery: Side | None) -> None:
    """Write both sides; a gallery that is the query list itself is written once."""
    if gallery is None:
        arrays = _arrays(query, "")
    else:
        arrays = _arrays(query, "query_") | _arrays(gallery, "gallery_")
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)


def read_own(path: Path) -> tuple[Side, Side]:
    """Query and gallery of a file that `write_features` wrote.

    Raises:
        FeaturesError: Not such a file.
    """
    arrays = _read_npz(path)
    if "features" in arrays:
        side = _side(arrays, "", path)
        return side, side
    return _side(arrays, "query_", path), _side(arrays, "gallery_", path)


def read_features(
    path: Path,
    query: Sequence[Sample],
    gallery: Sequence[Sample],
    query_modalities: tuple[Modality, ...],
    gallery_modalities: tuple[Modality, ...],
) -> tuple[Side, Side]:
    """The descriptors of any program, put into the data set's order by name.

    The file holds `names` and `features` (n, d), or `names` and an array for each modality, of
    which each side takes those it has, concatenated in the order RGB, NI, TI. In safetensors the
    names are a JSON list in the metadata. Names beyond the two lists are passed over.

    Raises:
        FeaturesError: Wrong names, lengths or shapes, NaN, pickled objects, or no such file.
    """
    arrays = _read_safetensors(path) if path.suffix == ".safetensors" else _read_npz(path)
    if "query_features" in arrays:
        own_query, own_gallery = read_own(path)
        return (
            _ordered(own_query.features, own_query.names, query, path),
            _ordered(own_gallery.features, own_gallery.names, gallery, path),
        )
    names = _names(arrays, path)
    spare = len(set(names) - {s.name for s in (*query, *gallery)})
    if spare:
        say(f"{path.name}: {spare} names are in neither query nor gallery and are passed over")
    return (
        _ordered(_descriptors(arrays, query_modalities, len(names), path), names, query, path),
        _ordered(_descriptors(arrays, gallery_modalities, len(names), path), names, gallery, path),
    )


def _arrays(side: Side, prefix: str) -> dict[str, NDArray[Any]]:
    found: dict[str, NDArray[Any]] = {
        "features": side.features,
        "names": np.array(side.names, dtype=np.str_),
        "pids": side.labels.pids,
    }
    if side.labels.camids is not None:
        found["camids"] = side.labels.camids
    if side.labels.scenes is not None:
        found["scenes"] = side.labels.scenes
    return {prefix + k: v for k, v in found.items()}


def _side(arrays: Mapping[str, NDArray[Any]], prefix: str, path: Path) -> Side:
    wanted = ("features", "names", "pids")
    lacking = [prefix + k for k in wanted if prefix + k not in arrays]
    if lacking:
        raise FeaturesError(
            seen=f"{path} has no {', '.join(lacking)}; it has {', '.join(arrays) or 'nothing'}",
            expected="the features file of a run of ours",
            do="score another program's file with harness evaluate --features",
        )
    labels = Labels(
        arrays[prefix + "pids"], arrays.get(prefix + "camids"), arrays.get(prefix + "scenes")
    )
    names = tuple(str(n) for n in arrays[prefix + "names"])
    return Side(arrays[prefix + "features"], names, labels)


def _read_npz(path: Path) -> dict[str, NDArray[Any]]:
    _require_file(path)
    try:
        with np.load(path, allow_pickle=False) as file:
            if not isinstance(file, np.lib.npyio.NpzFile):
                raise ValueError("it is a single array without names")
            return {k: file[k] for k in file.files}
    except (ValueError, OSError, EOFError, KeyError, zipfile.BadZipFile) as error:
        pickled = "allow_pickle" in str(error)
        raise FeaturesError(
            seen=f"{path} " + ("holds pickled objects" if pickled else f"is no npz file: {error}"),
            expected="an .npz of plain arrays: features (n, d) float and names (n,) text",
            do="write it with np.savez(path, features=features, names=np.array(names, dtype=str)); "
            "pickled objects are refused because loading one can run any code",
        ) from error


def _read_safetensors(path: Path) -> dict[str, NDArray[Any]]:
    from safetensors import SafetensorError, safe_open

    _require_file(path)
    try:
        with safe_open(path, framework="np") as file:
            found = {k: file.get_tensor(k) for k in file.keys()}  # noqa: SIM118
            names = json.loads((file.metadata() or {}).get("names", "null"))
    except (SafetensorError, OSError, ValueError) as error:
        raise FeaturesError(
            seen=f"{path} is no safetensors file: {error}",
            expected="tensors with the names as a JSON list in the metadata",
            do="write it with save_file(tensors, path, metadata={'names': json.dumps(names)})",
        ) from error
    if isinstance(names, list):
        found["names"] = np.array(names, dtype=np.str_)
    return found


def _require_file(path: Path) -> None:
    if not path.is_file():
        raise FeaturesError(
            seen=f"there is no file {path}",
            expected="a features file, .npz or .safetensors",
            do="check the path; a run of ours keeps features.npz in its folder",
        )


def _names(arrays: Mapping[str, NDArray[Any]], path: Path) -> tuple[str, ...]:
    if "names" not in arrays or arrays["names"].dtype.kind != "U" or arrays["names"].ndim != 1:
        raise FeaturesError(
            seen=f"{path} has no list of names; it has {', '.join(arrays) or 'nothing'}",
            expected="names (n,), text: the file name of each row, such as 000258_cam1_0_00.jpg",
            do="add names=np.array(names, dtype=str) beside the features",
        )
    names = tuple(str(n) for n in arrays["names"])
    if len(set(names)) < len(names):
        twice = next(n for n in names if names.count(n) > 1)
        raise FeaturesError(
            seen=f"{path} names {twice} more than once",
            expected="each name once",
            do="keep one row for each image",
        )
    return names


def _descriptors(
    arrays: Mapping[str, NDArray[Any]], modalities: tuple[Modality, ...], count: int, path: Path
) -> NDArray[Any]:
    if "features" in arrays:
        parts = {"features": arrays["features"]}
    else:
        parts = {m: arrays[m] for m in modalities if m in arrays}
        if len(parts) < len(modalities):
            raise FeaturesError(
                seen=f"{path} has the arrays {', '.join(arrays) or 'none'}",
                expected=f"features, or one for each of {', '.join(modalities)} "
                f"(of {', '.join(MODALITIES)})",
                do="add the missing array, or choose a protocol with fewer modalities",
            )
    for name, part in parts.items():
        if part.ndim != 2 or part.shape[0] != count or part.dtype.kind != "f":
            raise FeaturesError(
                seen=f"{path}: {name} has shape {part.shape} and type {part.dtype}",
                expected=f"({count}, d) floating point, a row for each of the {count} names",
                do="save features and names of the same images together",
            )
        bad = np.flatnonzero(~np.isfinite(part).all(axis=1))
        if bad.size:
            raise FeaturesError(
                seen=f"{path}: {bad.size} rows of {name} hold NaN or infinite numbers, the first "
                f"is row {int(bad[0])} ({arrays['names'][bad[0]]})",
                expected="finite numbers",
                do="look at that image's features in the program that made them",
            )
    return np.concatenate(list(parts.values()), axis=1)


def _ordered(
    features: NDArray[Any], names: Sequence[str], samples: Sequence[Sample], path: Path
) -> Side:
    row = {name: i for i, name in enumerate(names)}
    lacking = [s.name for s in samples if s.name not in row]
    if lacking:
        stray = [n for n in names if n not in {s.name for s in samples}]
        raise FeaturesError(
            seen=f"{path} has no row for {len(lacking)} of {len(samples)} images, such as "
            f"{lacking[0]}" + (f"; it has {stray[0]} instead" if stray else ""),
            expected="a name for every query and gallery image, as the files are called",
            do="extract the features of every image of the list, and keep the file names",
        )
    order = [row[s.name] for s in samples]
    ordered = np.asarray(features[order], dtype=np.float32)
    return Side(ordered, tuple(s.name for s in samples), labels_of(tuple(samples)))
