"""Every ```bash block of docs/ runs as it stands there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tests.conftest import ROOT, Harness


def _blocks() -> list[tuple[str, str]]:
    return [
        (page.name, block)
        for page in sorted((ROOT / "docs").glob("*.md"))
        for block in re.findall(r"```bash\n(.*?)```", page.read_text(), re.DOTALL)
    ]


@pytest.mark.parametrize(("page", "block"), _blocks(), ids=[page for page, _ in _blocks()])
def test_the_commands_of_a_page_run_one_after_the_other(
    harness: Harness, page: str, block: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for line in block.strip().splitlines():
        first, *words = shlex.split(line)
        assert first == "harness", f"{page}: only harness commands can be run here"
        answer = harness(*words)
        assert answer.code == 0, f"{line}: {answer.err}"
        assert answer.out.strip()


def test_every_page_has_commands_to_run() -> None:
    pages = {page.name for page in (ROOT / "docs").glob("*.md")}
    assert pages == {page for page, _ in _blocks()}
