"""Files are written whole or not at all."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from harness.base.errors import DiskFullError
from harness.base.files import replacing, tidy, write_text


def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", "old")
    with pytest.raises(RuntimeError), replacing(tmp_path / "a.txt") as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert (tmp_path / "a.txt").read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_no_space_is_named(tmp_path: Path, code: int) -> None:
    with pytest.raises(DiskFullError, match="no space left in"), replacing(tmp_path / "a") as path:
        path.write_text("half")
        raise OSError(code, os.strerror(code))
    assert not list(tmp_path.iterdir())


def test_everyone_may_read_what_the_mask_allows(tmp_path: Path) -> None:
    # safetensors itself would leave a file that only its owner can read.
    with replacing(tmp_path / "w.safetensors") as temporary:
        save_file({"x": torch.zeros(1)}, temporary)
    write_text(tmp_path / "t.txt", "x")
    modes = {p.stat().st_mode & 0o777 for p in tmp_path.iterdir()}
    (tmp_path / "plain").write_text("x")
    assert modes == {(tmp_path / "plain").stat().st_mode & 0o777}


def test_what_a_killed_writer_left_is_cleared_and_what_it_replaced_comes_back(
    tmp_path: Path,
) -> None:
    for name in (".a.npz.12.tmp", "b.json", ".b.json.12.old", ".c.json.12.old", ".40.lock"):
        (tmp_path / name).write_text(name)
    tidy(tmp_path)
    assert {p.name: p.read_text() for p in tmp_path.iterdir()} == {
        "b.json": "b.json",
        "c.json": ".c.json.12.old",
        ".40.lock": ".40.lock",
    }
