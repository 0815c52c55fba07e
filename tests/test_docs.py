"""docs/ as they stand: their files are written, their commands run, their tests pass."""

from __future__ import annotations

import importlib
import re
import runpy
import shlex
import sys
import textwrap
import tomllib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from harness.evidence.features_file import read_own
from harness.spec.method import MethodInfo
from tests.conftest import ROOT, Harness

PAGES = sorted((ROOT / "docs").glob("*.md"))
_GUIDE = "add-a-method.md"


def _blocks() -> list[tuple[str, str]]:
    return [
        (page.name, block)
        for page in PAGES
        for block in re.findall(r"```bash\n(.*?)```", page.read_text(), re.DOTALL)
    ]


def _files(page: str) -> dict[str, str]:
    """What a page says is in which file: the paragraph before a block begins with its path."""
    text = (ROOT / "docs" / page).read_text()
    found = re.findall(r"\n\n`([\w/]+\.\w+)`(?:(?!\n\n).)*\n\n```\w+\n(.*?)```", text, re.DOTALL)
    return dict(found)


def _write(page: str, folder: Path) -> None:
    for name, text in _files(page).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The guide's files in a folder that Python finds packages in."""
    _write(_GUIDE, tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    for name in [n for n in sys.modules if n.partition(".")[0] == "bands"]:
        del sys.modules[name]


@pytest.mark.parametrize(("page", "block"), _blocks(), ids=[page for page, _ in _blocks()])
def test_the_commands_of_a_page_run_one_after_the_other(
    harness: Harness, page: str, block: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    _write(page, tmp_path)
    for line in block.strip().splitlines():
        first, *words = shlex.split(line)
        assert first == "harness", f"{page}: only harness commands can be run here"
        answer = harness(*words)
        assert answer.code == 0, f"{line}: {answer.err}"
        assert answer.out.strip()


def test_every_page_has_commands_to_run() -> None:
    assert {page.name for page in PAGES} == {page for page, _ in _blocks()}


def test_the_guides_method_keeps_the_contract(written: Path) -> None:
    found = runpy.run_path(str(written / "test_bands.py"))
    found["test_bands_keeps_the_contract"]()


def test_the_guides_pair_compares_what_both_sides_have(
    harness: Harness, written: Path, drawn: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pasted into the guide's class: kept by a run, and by the contract."""
    monkeypatch.chdir(written)
    text = (ROOT / "docs" / _GUIDE).read_text()
    (pair,) = re.findall(r"```python\n(def pair.*?)```", text, re.DOTALL)
    code = written / "bands" / "method.py"
    code.write_text(code.read_text() + textwrap.indent(pair, "    "))
    found = runpy.run_path(str(written / "test_bands.py"))
    found["test_bands_keeps_the_contract"]()
    words = ["run", "--method", "bands", "--plugin", "bands", "--dataset", drawn, "--json"]
    made = harness(*words, "--recipe", "smoke", "--protocol", "RGB+TI>NI+TI").json
    query, gallery = read_own(Path(made["record"]).with_name("features.npz"))
    for side in (query, gallery):
        filled = [bool(part.any()) for part in np.split(side.features, 3, axis=1)]
        assert filled == [False, False, True], "TI alone is on both sides"


def test_the_guides_entry_point_is_the_guides_method(written: Path) -> None:
    text = (ROOT / "docs" / _GUIDE).read_text()
    package = next(b for b in re.findall(r"```toml\n(.*?)```", text, re.DOTALL) if "[project]" in b)
    (target,) = tomllib.loads(package)["project"]["entry-points"]["harness.methods"].values()
    module, _, name = target.partition(":")
    info = getattr(importlib.import_module(module), name)
    assert isinstance(info, MethodInfo) and info.recipes == written / "bands" / "recipes"


def test_the_guides_table_can_be_filled(
    harness: Harness, written: Path, drawn: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(written)
    small = ["--set", "epochs=1", "--track", "smoke", "--dataset", drawn, "--json"]
    plan = Path("widths.toml")
    # IEEE's row takes its time: it is trained in tests of its own.
    plan.write_text(plan.read_text().partition('[[rows]]\nlabel = "three')[0])
    found = harness("table", plan, "--plugin", "bands", "--run", *small).json
    assert found["failed"] == [] and found["missing"] == []
