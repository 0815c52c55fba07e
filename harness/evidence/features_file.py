"""Descriptors on disk, ours or another program's: npz or safetensors, never pickled objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.base.errors import FeaturesError
from harness.base.files import replacing
from harness.base.progress import say
from harness.data.lint import labels_of
from harness.evidence.features_arrays import (
    LABELS,
    LAYOUTS,
    Rows,
    read_arrays,
    read_npz,
    refused,
    rows_of,
)
from harness.scoring.labels import Labels
from harness.spec.dataset import Sample
from harness.spec.modality import Modality


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
    arrays = read_npz(path)
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
    which each side takes those it has, concatenated in the order RGB, NI, TI. Or it holds both
    sides, `query_features` with `query_names` and the same of `gallery`; every check is the same.
    In safetensors the names are a JSON list in the metadata. Names beyond the two lists are passed
    over. `pids`, `camids` and `scenes` may be there and must then be those of the data set.

    Raises:
        FeaturesError: Wrong names, lengths, types or shapes, NaN, other labels than the data set's,
            pickled objects, or no such file.
    """
    arrays = read_arrays(path)
    in_sides = any(prefix + "features" in arrays for prefix in LAYOUTS["sides"])
    found = []
    for prefix, samples, modalities in (
        ("query_", query, query_modalities),
        ("gallery_", gallery, gallery_modalities),
    ):
        rows = rows_of(arrays, prefix if in_sides else "", modalities, path)
        found.append((rows, samples))
    _say_spare(found, path)
    query_side, gallery_side = (_ordered(rows, samples, path) for rows, samples in found)
    if query_side.features.shape[1] != gallery_side.features.shape[1] and in_sides:
        widths = [side.features.shape[1] for side in (query_side, gallery_side)]
        raise refused(
            path,
            f"query_features has {widths[0]} columns, gallery_features {widths[1]}",
            "descriptors of one length on both sides",
            "save both sides with the same model",
        )
    return query_side, gallery_side


def _say_spare(found: Sequence[tuple[Rows, Sequence[Sample]]], path: Path) -> None:
    wanted = {s.name for _, samples in found for s in samples}
    spare = len({name for rows, _ in found for name in rows.names} - wanted)
    if spare:
        say(f"{path.name}: {spare} names are in neither query nor gallery and are passed over")


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
    if arrays[prefix + "names"].ndim != 1:
        shape = arrays[prefix + "names"].shape
        raise refused(path, f"{prefix}names has shape {shape}", "a list (n,)", "run again")
    labels = Labels(
        arrays[prefix + "pids"], arrays.get(prefix + "camids"), arrays.get(prefix + "scenes")
    )
    names = tuple(str(n) for n in arrays[prefix + "names"])
    return Side(arrays[prefix + "features"], names, labels)


def _ordered(rows: Rows, samples: Sequence[Sample], path: Path) -> Side:
    place = {name: i for i, name in enumerate(rows.names)}
    lacking = [s.name for s in samples if s.name not in place]
    if lacking:
        known = {s.name for s in samples}
        stray = next((n for n in rows.names if n not in known), None)
        raise FeaturesError(
            seen=f"{path} has no row for {len(lacking)} of {len(samples)} images, such as "
            f"{lacking[0]}" + (f"; it has {stray} instead" if stray is not None else ""),
            expected="a name for every query and gallery image, as the files are called",
            do="extract the features of every image of the list, and keep the file names",
        )
    order = [place[s.name] for s in samples]
    labels = labels_of(tuple(samples))
    _require_same_labels(rows, order, labels, samples, path)
    return Side(rows.features[order], tuple(s.name for s in samples), labels)


def _require_same_labels(
    rows: Rows, order: Sequence[int], labels: Labels, samples: Sequence[Sample], path: Path
) -> None:
    for field in LABELS:
        said, is_ = rows.labels.get(field), getattr(labels, field)
        if said is None or is_ is None:
            continue
        wrong = np.flatnonzero(said[order] != is_)
        if wrong.size:
            i = int(wrong[0])
            raise refused(
                path,
                f"{rows.prefix}{field} is another than the data set's in {wrong.size} of "
                f"{len(samples)} rows, first {samples[i].name}: {said[order[i]]} in the file, "
                f"{is_[i]} in the data set",
                "descriptors and labels of the same images",
                f"save them together; if only the numbering differs, leave {rows.prefix}{field} "
                "out: the data set's is used",
            )
