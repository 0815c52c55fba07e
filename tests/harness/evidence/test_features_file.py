"""Features files of other programs: what is taken, and what is refused with which numbers."""

from __future__ import annotations

import json
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from harness.base.errors import FeaturesError
from harness.evidence.features_file import read_features
from harness.spec.dataset import Sample

COUNT = 6
Arrays = dict[str, Any]


def _samples(count: int = COUNT) -> tuple[Sample, ...]:
    return tuple(Sample(f"{i:05d}.jpg", i // 2, i % 2, None, {}) for i in range(count))


def _one(prefix: str = "", count: int = COUNT) -> Arrays:
    samples = _samples(count)
    return {
        prefix + "features": np.arange(count * 3, dtype="f4").reshape(count, 3),
        prefix + "names": np.array([s.name for s in samples]),
        prefix + "pids": np.array([s.pid for s in samples]),
        prefix + "camids": np.array([s.camid for s in samples]),
    }


def _whole(layout: str) -> Arrays:
    return _one() if layout == "plain" else _one("query_") | _one("gallery_")


def _read(path: Path, count: int = COUNT) -> tuple[Any, Any]:
    samples = _samples(count)
    return read_features(path, samples, samples, ("RGB",), ("RGB",))


LAYOUTS = [("plain", ""), ("sides", "query_"), ("sides", "gallery_")]


@pytest.mark.parametrize(("layout", "prefix"), LAYOUTS)
def test_both_layouts_are_put_into_the_data_sets_order(
    layout: str, prefix: str, tmp_path: Path
) -> None:
    arrays = _whole(layout)
    for name in [n for n in arrays if n.startswith(prefix)]:
        arrays[name] = arrays[name][::-1]
    np.savez(tmp_path / "f.npz", **arrays)
    query, gallery = _read(tmp_path / "f.npz")
    for side in (query, gallery):
        assert np.array_equal(side.features, _one()["features"])
        assert side.names == tuple(_one()["names"])


Break = Callable[[Arrays, str], object]


def _cut(field: str) -> Break:
    return lambda a, p: a.update({p + field: a[p + field][:-1]})


def _put(field: str, value: Callable[[Any], Any]) -> Break:
    return lambda a, p: a.update({p + field: value(a[p + field])})


def _nan(array: Any) -> Any:
    array = array.copy()
    array[2, 1] = np.nan
    return array


def _twice(array: Any) -> Any:
    array = array.copy()
    array[4] = array[1]
    return array


@pytest.mark.parametrize(("layout", "prefix"), LAYOUTS)
@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_cut("features"), ["{p}features has 5 rows", "{p}names has 6"]),
        (_cut("names"), ["{p}features has 6 rows", "{p}names has 5"]),
        (_cut("pids"), ["{p}pids has 5 rows", "{p}names has 6"]),
        (_put("features", lambda f: f[:, 0]), ["{p}features has shape (6,)"]),
        (_put("features", lambda f: f[0, 0]), ["{p}features has shape ()"]),
        (_put("features", lambda f: f[:, :0]), ["{p}features has shape (6, 0)"]),
        (_put("features", lambda f: f[:, :, None]), ["{p}features has shape (6, 3, 1)"]),
        (_put("features", lambda f: f.astype("i4")), ["type int32", "floating point"]),
        (_put("features", lambda f: f.astype("c8")), ["type complex64"]),
        (_put("features", _nan), ["1 rows of {p}features", "row 2 (00002.jpg)"]),
        (_put("features", lambda f: f.astype("f8") + 1e300), ["6 rows", "float32"]),
        (_put("names", _twice), ["{p}names has 00001.jpg more than once", "rows 1 and 4"]),
        (_put("names", lambda n: n[0]), ["{p}names has shape ()"]),
        (_put("names", lambda n: np.arange(len(n))), ["no list of names", "int64"]),
        (lambda a, p: a.pop(p + "names"), ["no list of names", "it has"]),
        (_put("pids", lambda p: p[::-1]), ["{p}pids is another", "00000.jpg: 2 in the file, 0"]),
        (_put("camids", lambda c: c + 1), ["{p}camids is another", "leave {p}camids out"]),
        (_put("pids", lambda p: p + 0.5), ["{p}pids has shape (6,) and type float64"]),
        (_put("pids", lambda p: p.astype("u8") + 2**63), ["{p}pids is another", "922337"]),
    ],
)
def test_what_does_not_fit_is_refused_alike(
    layout: str, prefix: str, change: Break, words: list[str], tmp_path: Path
) -> None:
    arrays = _whole(layout)
    change(arrays, prefix)
    np.savez(tmp_path / "f.npz", **arrays)
    with pytest.raises(FeaturesError) as caught:
        _read(tmp_path / "f.npz")
    text = str(caught.value)
    assert "f.npz" in text
    assert all(word.format(p=prefix) in text for word in words), text


def test_sides_of_two_widths_and_of_one_side_are_refused(tmp_path: Path) -> None:
    arrays = _whole("sides")
    np.savez(tmp_path / "a.npz", **{**arrays, "query_features": arrays["query_features"][:, :2]})
    with pytest.raises(FeaturesError, match="query_features has 2 columns, gallery_features 3"):
        _read(tmp_path / "a.npz")
    np.savez(tmp_path / "b.npz", **_one("query_"))
    with pytest.raises(FeaturesError, match="no list of names"):
        _read(tmp_path / "b.npz")


def test_labels_need_not_be_there_and_names_may_be_bytes(tmp_path: Path) -> None:
    arrays = {k: v for k, v in _whole("sides").items() if "ids" not in k}
    arrays["query_names"] = arrays["query_names"].astype("S")
    np.savez(tmp_path / "f.npz", **arrays)
    assert _read(tmp_path / "f.npz")[0].labels.pids.tolist() == [0, 0, 1, 1, 2, 2]


def _bare(path: Path) -> None:
    with path.open("wb") as file:
        np.save(file, np.ones((COUNT, 3), "f4"))


def _strange_zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("features", "hello")


@pytest.mark.parametrize(
    ("write", "words"),
    [
        (_bare, "a single array without names"),
        (lambda p: p.write_bytes(b""), "it is empty"),
        (lambda p: p.write_text("name,f1,f2"), "begins with b'name"),
        (lambda p: p.write_bytes(b"PK\x03\x04cut"), "is no npz file"),
        (_strange_zip, "is no array"),
    ],
)
@pytest.mark.parametrize("name", ["f.npz", "f.npy"])
def test_a_file_that_is_no_npz(
    name: str, write: Callable[[Path], object], words: str, tmp_path: Path
) -> None:
    write(tmp_path / name)
    with pytest.raises(FeaturesError, match=words):
        _read(tmp_path / name)


@pytest.mark.parametrize("names", [[1] * COUNT, "a", {"a": 1}, 3])
def test_names_in_the_metadata_that_are_no_texts(names: Any, tmp_path: Path) -> None:
    path = tmp_path / "f.safetensors"
    save_file({"features": _one()["features"]}, path, metadata={"names": json.dumps(names)})
    with pytest.raises(FeaturesError, match="names in the metadata"):
        _read(path)


@pytest.mark.parametrize("change", [_cut("names"), _put("names", _twice)])
@pytest.mark.parametrize(("layout", "prefix"), LAYOUTS)
def test_an_error_about_many_rows_is_quick(
    layout: str, prefix: str, change: Break, tmp_path: Path
) -> None:
    rows = 10_000
    arrays = (
        _one(count=rows) if layout == "plain" else _one("query_", rows) | _one("gallery_", rows)
    )
    change(arrays, prefix)
    for field in ("features", "pids", "camids"):
        arrays[prefix + field] = arrays[prefix + field][: len(arrays[prefix + "names"])]
    np.savez(tmp_path / "f.npz", **arrays)
    started = time.process_time()
    with pytest.raises(FeaturesError):
        _read(tmp_path / "f.npz", rows)
    # A thousandth of a second a row would be ten; comparing every two took longer.
    assert time.process_time() - started < 2
