"""File systems without locks, rights, fsync or renaming over a file; machines without a home."""

from __future__ import annotations

import errno
import fcntl
import os
import pwd
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.base import files, refused
from harness.base.errors import HarnessError, RunBusyError
from harness.base.files import cache_folder, house_libraries, write_text
from harness.base.stages import only_one
from harness.claims.files import claim_files, own_claims_path
from harness.data import arrays
from harness.store import Store
from tests.harness.records import make


@pytest.fixture(autouse=True)
def _untold() -> Iterator[None]:
    """As a new process: nothing was said yet."""
    refused._said.clear()
    yield
    refused._said.clear()
    files._temporary_cache.cache_clear()


def refusing(code: int) -> Any:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(code, os.strerror(code))

    return refuse


@pytest.mark.parametrize("code", [errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP, errno.EINVAL])
def test_a_run_goes_on_where_there_are_no_locks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], code: int
) -> None:
    monkeypatch.setattr(fcntl, "flock", refusing(code))
    for _ in range(2):
        with only_one(tmp_path / ".40.lock"):
            pass
    said = capsys.readouterr().err
    assert said.count("refuses locks") == 1 and os.strerror(code) in said


def test_only_would_block_means_busy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        only_one(tmp_path / ".40.lock"),
        pytest.raises(RunBusyError),
        only_one(tmp_path / ".40.lock"),
    ):
        pass
    monkeypatch.setattr(fcntl, "flock", refusing(errno.EWOULDBLOCK))
    with pytest.raises(RunBusyError), only_one(tmp_path / ".41.lock"):
        pass


@pytest.mark.parametrize("what", ["chmod", "fsync", "rename over a file"])
def test_a_file_is_written_whole_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], what: str
) -> None:
    refuse = refusing(errno.EPERM)
    place, name = {
        "chmod": (Path, "chmod"),
        "fsync": (os, "fsync"),
        "rename over a file": (Path, "replace"),
    }[what]
    write_text(tmp_path / "a.txt", "old")
    monkeypatch.setattr(place, name, refuse)
    write_text(tmp_path / "a.txt", "new")
    assert (tmp_path / "a.txt").read_text() == "new"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]
    assert f"refuses {what} (Operation not permitted)" in capsys.readouterr().err


def test_a_broken_disk_is_not_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_text(tmp_path / "a.txt", "old")
    monkeypatch.setattr(os, "fsync", refusing(errno.EIO))
    with pytest.raises(OSError, match="Input/output"):
        write_text(tmp_path / "a.txt", "new")
    assert (tmp_path / "a.txt").read_text() == "old"


def test_a_store_where_files_cannot_be_locked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(fcntl, "lockf", refusing(errno.ENOLCK))
    opened: list[str] = []
    connect = refused_connect(opened)
    monkeypatch.setattr("harness.store.database.sqlite3.connect", connect)
    store = Store(tmp_path / "store.db")
    store.add(make(), tmp_path / "record.json")
    assert len(store.summaries()) == 1 and all("nolock=1" in address for address in opened)
    assert capsys.readouterr().err.count("refuses locks of files") == 1


def refused_connect(opened: list[str]) -> Any:
    import sqlite3

    real = sqlite3.connect

    def connect(address: str, **options: Any) -> Any:
        opened.append(address)
        return real(address, **options)

    return connect


def test_room_that_cannot_be_set_aside_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "posix_fallocate", refusing(errno.EOPNOTSUPP))
    arrays._allocate(tmp_path / "a", 3_000_000)
    assert (tmp_path / "a").read_bytes() == bytes(3_000_000)


@pytest.fixture
def homeless(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A user id without an entry and without $HOME; temporary files are in the folder given."""
    for name in ("HARNESS_CACHE", "XDG_CACHE_HOME", "XDG_DATA_HOME", "HOME", "HARNESS_CLAIMS"):
        monkeypatch.delenv(name, raising=False)

    def unknown(_: int) -> None:
        raise KeyError("uid not found")

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


def test_without_a_home_the_cache_is_temporary_and_named(
    homeless: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("TORCH_HOME", "HF_HOME", "MPLCONFIGDIR"):
        # Set and taken away, so that it is as before when the test ends.
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    folder = cache_folder()
    assert folder == homeless / f"mmreid-harness-{os.getuid()}" == cache_folder()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    said = capsys.readouterr().err
    assert said.count("no home folder") == 1 and str(folder) in said and "$HARNESS_CACHE" in said
    # Nobody's claims are there, and where to keep some is asked only by who writes them.
    assert all(path.is_file() for path in claim_files())
    with pytest.raises(HarnessError) as caught:
        own_claims_path()
    assert "HARNESS_CLAIMS" in caught.value.do
    house_libraries()
    assert os.environ["TORCH_HOME"] == str(folder / "torch")


def test_a_folder_that_another_user_prepared_is_not_taken(
    homeless: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    (homeless / f"mmreid-harness-{os.getuid()}").symlink_to(tmp_path_factory.mktemp("trap"))
    folder = cache_folder()
    assert not folder.is_symlink() and folder.parent == homeless


def test_a_home_that_cannot_be_written(
    homeless: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (homeless / "home").write_text("a file")
    monkeypatch.setenv("HOME", str(homeless / "home"))
    assert cache_folder().parent == homeless
    assert f"{homeless}/home/.cache/mmreid-harness cannot be written" in capsys.readouterr().err
    monkeypatch.setenv("HOME", str(homeless))
    assert cache_folder() == homeless / ".cache" / "mmreid-harness"
    monkeypatch.setenv("HARNESS_CACHE", "named")
    assert cache_folder() == Path("named")
