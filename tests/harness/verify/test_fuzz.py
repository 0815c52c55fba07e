"""Records and archives that are wrong in any way: no crash, no trace, no wrong acceptance."""

from __future__ import annotations

import copy
import json
import os
import stat
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.base.hashing import digest
from harness.evidence.record import RunRecord, parse_record, record_id
from harness.spec.plugins import load_plugins
from harness.spec.protocol import BoundProtocol
from harness.spec.recipe import Recipe
from harness.verify import Finder
from harness.verify.receive import verify_bundle
from tests.forging import folder_of

# What nothing in an archive without weights says anything about: a stranger may write there what
# he likes. It changes no number, but `data_hash` and `label` say in which table it stands, which
# only the data set itself can confirm, and `seed` which other runs it is averaged with.
_ANYONE = {
    "": ("run_id", "created", "harness_version", "missing_policy", "environment", "cost", "seed"),
    "hashes": ("code_hash", "inputs_hash"),
    "dataset": ("name", "data_hash", "file_list_hash", "made_like", "made_from", "published_list"),
    "data set": ("accepted_variant", "train"),
    "protocol": ("title", "used_by", "groups"),
    "recipe": ("source",),
    "evidence": ("weights",),
    "before": ("pids", "inp"),
}
_SPARE = {key for keys in _ANYONE.values() for key in keys}


class Yard:
    """One true archive, and a folder of which nothing but the archive under test may change."""

    def __init__(self, folder: Path, place: Path) -> None:
        self.entries = {
            name: (folder / name).read_bytes()
            for name in ("record.json", "features.npz", "ranks.npz", "train.jsonl")
        }
        self.record = json.loads(self.entries["record.json"])
        self.entries["recipe.json"] = json.dumps(self.record["recipe"]).encode()
        self.place = place
        self.temporary = place / "tmp"
        self.temporary.mkdir()
        self.path = place / "bundle.zip"
        self.finder = Finder(load_plugins())

    def accepted(self, content: bytes) -> bool:
        """Whether every check holds; fails when it crashes or leaves anything behind."""
        self.path.write_bytes(content)
        before = self._listing()
        checks = list(verify_bundle(self.path, self.finder))
        assert self._listing() == before, "something was written outside"
        assert not list(self.temporary.iterdir()), "something was left behind"
        assert checks and all(c.problem.isprintable() for c in checks)
        return not any(c.problem for c in checks)

    def zipped(self, entries: dict[str, bytes], links: tuple[str, ...] = ()) -> bytes:
        path = self.place / "made.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in entries.items():
                info = zipfile.ZipInfo(name)
                kind = stat.S_IFLNK if name in links else stat.S_IFREG
                info.external_attr = (kind | 0o644) << 16
                archive.writestr(info, content)
        return path.read_bytes()

    def _listing(self) -> set[str]:
        return {p for root, _, files in os.walk(self.place) for p in (root, *files)}


@pytest.fixture(scope="module")
def yard(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Yard]:
    place = tmp_path_factory.mktemp("yard")
    found = Yard(folder_of(finished), place)
    before, there = tempfile.tempdir, Path.cwd()
    tempfile.tempdir = str(found.temporary)
    os.chdir(place)
    yield found
    os.chdir(there)
    tempfile.tempdir = before


def _many(examples: int) -> settings:
    return settings(
        max_examples=examples,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


_TEXT = st.text(max_size=40) | st.sampled_from(
    ["../../etc/passwd", "<script>x</script>", "\x00", "\u202e", "rerun", "1e999", "NaN", ""]
)
_SCALAR = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | _TEXT
    | st.sampled_from(["full", "rgbnt201", "a" * 64, "0" * 16, 10**400])
)
_VALUE = st.recursive(
    _SCALAR, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXT, inner, max_size=4)
)


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _places(inner, (*path, key))
    elif isinstance(value, list):
        # The first, second and last of a long list stand for the others.
        for key in sorted({0, 1, len(value) - 1} & set(range(len(value)))):
            yield from _places(value[key], (*path, key))


@st.composite
def _edited(draw: st.DrawFn, record: dict[str, Any]) -> dict[str, Any]:
    """The record with one to three places replaced, lost or joined by a new key."""
    found = copy.deepcopy(record)
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(list(_places(found))[1:]))
        *above, last = path
        home: Any = found
        for key in above:
            home = home[key]
        deed = draw(st.sampled_from(["replace", "lose", "add", "nudge"]))
        if deed == "lose":
            del home[last]
        elif deed == "add" and isinstance(home, dict):
            home[draw(_TEXT)] = draw(_VALUE)
        elif deed == "nudge" and isinstance(home[last], int | float):
            home[last] += draw(st.sampled_from([1, -1, 1e-9, 0.5]))
        else:
            home[last] = draw(_VALUE)
    return found


def _mended(record: dict[str, Any]) -> dict[str, Any]:
    """With the id that it should have, where it has the fields of a record."""
    try:
        parsed = RunRecord.model_validate(record)
        inputs = [parsed.recipe_hash, parsed.data_hash, parsed.protocol_hash, parsed.seed]
        device = str(parsed.environment.get("device", "")).partition(":")[0]
        names = ("recipe", "data", "protocol", "seed", "code", "device")
        values = (*inputs, parsed.code_hash, device)
        record["inputs_hash"] = digest(dict(zip(names, values, strict=True)))
        record["run_id"] = record_id(RunRecord.model_validate(record))
    except ValueError:
        pass
    return record


def _confirmed(value: Any, place: str = "") -> Any:
    """The part of a record that an archive confirms."""
    if not isinstance(value, dict):
        return value
    # A recipe's own name is no part of its hash.
    spare = _SPARE - {"name"} | ({"name"} if place in ("recipe", "dataset") else set())
    return {k: _confirmed(v, place or k) for k, v in value.items() if k not in spare}


def _written_out(record: dict[str, Any]) -> dict[str, Any]:
    """With what a recipe or protocol means by leaving a field out."""
    recipe = Recipe.model_validate(record["recipe"]).dumped()
    protocol = BoundProtocol.model_validate(record["protocol"]).model_dump(mode="json")
    return record | {"recipe": recipe, "protocol": protocol}


def _differing(a: Any, b: Any, place: str = "record") -> list[str]:
    """Where two values differ, in few words: a whole record is no help in a failure."""
    if isinstance(a, dict) and isinstance(b, dict):
        keys = sorted({*a, *b})
        return [d for k in keys for d in _differing(a.get(k), b.get(k), f"{place}.{k}")]
    return [] if a == b else [f"{place}: {str(a)[:80]!r} for {str(b)[:80]!r}"]


def _try_record(yard: Yard, data: st.DataObject) -> None:
    record = data.draw(_edited(yard.record))
    if data.draw(st.booleans()):
        record = _mended(record)
    text = json.dumps(record).encode("utf-8", "surrogatepass")
    entries = {**yard.entries, "record.json": text}
    if isinstance(record.get("recipe"), dict):
        entries["recipe.json"] = json.dumps(record["recipe"]).encode("utf-8", "surrogatepass")
    if yard.accepted(yard.zipped(entries)):
        accepted = _written_out(parse_record(text)[0].model_dump(mode="json"))
        assert not _differing(_confirmed(accepted), _confirmed(yard.record))


def _try_bytes(yard: Yard, data: st.DataObject) -> None:
    """Bytes of the archive, or of one file in it, changed, cut, doubled or made up."""
    name = data.draw(st.sampled_from(["", *yard.entries]))
    whole = yard.entries[name] if name else yard.zipped(yard.entries)
    changed = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 4))):
        # Half of them near the ends, where directories and headers are.
        reach = st.integers(0, max(0, len(changed) - 1))
        near = st.integers(0, min(400, max(0, len(changed) - 1)))
        at = data.draw(reach | near | near.map(lambda n: max(0, len(changed) - 1 - n)))
        deed = data.draw(st.sampled_from(["set", "cut", "put"]))
        if deed == "set" and at < len(changed):
            changed[at] = data.draw(st.integers(0, 255))
        elif deed == "cut":
            del changed[at : at + data.draw(st.integers(1, 64))]
        else:
            changed[at:at] = data.draw(st.binary(max_size=32))
    content = bytes(changed)
    if content == whole:
        return
    if not name:
        if yard.accepted(content):
            # A date, a version or a mode of the zip format itself: the files must be the same.
            with zipfile.ZipFile(yard.path) as archive:
                assert {n: archive.read(n) for n in archive.namelist()} == yard.entries
        return
    if yard.accepted(yard.zipped({**yard.entries, name: content})):
        # White space in a JSON file says nothing else.
        assert name in ("record.json", "recipe.json")
        assert json.loads(content) == json.loads(whole)


def _try_names(yard: Yard, data: st.DataObject) -> None:
    """Entries under other names, links in the place of files, entries too many or too few."""
    names = _TEXT | st.sampled_from(["weights.safetensors", "../record.json", "/etc/x", "a/../b"])
    entries = dict(yard.entries)
    for name in data.draw(st.lists(st.sampled_from(list(entries)), max_size=2)):
        entries.pop(name, None)
    for name in data.draw(st.lists(names, max_size=3)):
        entries[name.replace("\x00", "0") or "x"] = data.draw(st.binary(max_size=50))
    links = tuple(data.draw(st.lists(st.sampled_from([*entries, "x"]), max_size=2)))
    if yard.accepted(yard.zipped(entries, links)):
        assert entries == yard.entries and not set(links) & set(entries)


def _try_any(yard: Yard, data: st.DataObject) -> None:
    kinds = [_try_record, _try_record, _try_bytes, _try_names]
    data.draw(st.sampled_from(kinds))(yard, data)


def test_the_true_archive_is_accepted(yard: Yard) -> None:
    assert yard.accepted(yard.zipped(yard.entries))


@_many(400)
@given(data=st.data())
def test_nothing_wrong_is_accepted(yard: Yard, data: st.DataObject) -> None:
    _try_any(yard, data)


@pytest.mark.slow
@_many(10_000)
@given(data=st.data())
def test_nothing_wrong_is_accepted_ten_thousand_times(yard: Yard, data: st.DataObject) -> None:
    _try_any(yard, data)


@_many(150)
@given(text=st.binary(max_size=200) | _VALUE.map(lambda v: json.dumps(v).encode()))
def test_a_record_is_read_or_refused(text: bytes) -> None:
    try:
        record, _ = parse_record(text)
    except ValueError:
        return
    assert isinstance(record, RunRecord)
