"""Verify and reproduce believe the disk, not what is remembered of it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from harness.base.files import cache_folder
from harness.base.hashing import digest
from harness.data.open import open_dataset
from harness.evidence.record import read_record
from harness.spec.plugins import load_plugins
from harness.verify import Finder


@pytest.fixture
def believed(drawn: Path, tmp_path: Path) -> Path:
    """A copy of the drawn set with one picture exchanged, of which the memory says it is not."""
    root = Path(shutil.copytree(drawn, tmp_path / "set"))
    _ = open_dataset(str(root), load_plugins()).data_hash
    memory = cache_folder() / "digests" / f"{digest(str(root.resolve()))[:16]}.json"
    rows = json.loads(memory.read_text())
    first, other = sorted((root / "test" / "NI").iterdir())[:2]
    shutil.copyfile(other, first)
    stat = first.stat()
    key = first.relative_to(root).as_posix()
    # A file system that lies: everything it says of the file is as remembered.
    rows[key][:4] = [stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino]
    memory.write_text(json.dumps(rows))
    return root


def test_a_verified_data_set_is_read_byte_by_byte(
    believed: Path, drawn: Path, finished: Path
) -> None:
    record = read_record(next(finished.glob("*/*/record.json")))
    known = load_plugins()
    assert open_dataset(str(believed), known).data_hash == record.data_hash, "it is believed"
    data, _ = Finder(known, str(believed)).data(record)
    assert data is not None and data.data_hash != record.data_hash
    whole, _ = Finder(known, str(drawn)).data(record)
    assert whole is not None and whole.data_hash == record.data_hash
