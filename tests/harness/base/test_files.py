"""Files are written whole or not at all."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from harness.base.errors import DiskFullError
from harness.base.files import replacing, write_text


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
