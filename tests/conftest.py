"""What many tests need: the command line, a small drawn set, the README's method."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from harness.cli import main
from reid_datasets.synthesize import write_parallel

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared"


class Answer(NamedTuple):
    """What a command gave back."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as the one JSON object it must be."""
        return json.loads(self.out)

    @property
    def error(self) -> dict[str, str]:
        """The error of a command run with --json."""
        found: dict[str, str] = self.json["error"]
        assert found["seen"] and found["expected"] and found["do"]
        return found


Harness = Callable[..., Answer]


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep everything the tests decode or draw out of the user's cache."""
    patch = pytest.MonkeyPatch()
    patch.setenv("HARNESS_CACHE", str(tmp_path_factory.mktemp("cache")))
    patch.delenv("HARNESS_DATA", raising=False)
    # Where tests run in several processes it is 80, and tables would be cut.
    patch.delenv("COLUMNS", raising=False)
    # Nor may a test write to the store of the developer's team, or read their own claims.
    patch.delenv("HARNESS_STORE", raising=False)
    patch.setenv("HARNESS_CLAIMS", str(tmp_path_factory.getbasetemp() / "no-claims.csv"))
    yield
    patch.undo()


@pytest.fixture
def harness(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Harness:
    """Run the command line as a user would, in this process."""

    def run(*words: object) -> Answer:
        monkeypatch.setattr(sys, "argv", ["harness", *map(str, words)])
        capfd.readouterr()
        try:
            main()
            code = 0
        except SystemExit as stop:
            code = int(stop.code or 0)
        return Answer(code, *capfd.readouterr())

    return run


def small_names(pids: range, images: int = 2) -> list[str]:
    """File names of identities seen `images` times by each of two cameras."""
    return [f"{p:06d}_cam{c}_0_{i:02d}.jpg" for p in pids for c in (1, 2) for i in range(images)]


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A drawn set in RGBNT201's layout: 5 train and 4 test identities. Not to be changed."""
    out = tmp_path_factory.mktemp("drawn") / "set"
    folders = {"train_171": small_names(range(1, 6)), "test": small_names(range(11, 15))}
    write_parallel(out, folders, seed=3, size=(64, 32), name="tests")
    return out


@pytest.fixture
def damaged(drawn: Path, tmp_path: Path) -> Path:
    """A copy of the drawn set that a test may break."""
    return Path(shutil.copytree(drawn, tmp_path / "set"))


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The very method the README shows, as a file."""
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    path = tmp_path_factory.mktemp("plugin") / "tiny.py"
    path.write_text(next(b for b in blocks if "METHOD = MethodInfo" in b))
    return path


SMALL = ("--set", "epochs=2", "--set", "input.height=64", "--set", "input.width=32")
"""Options that make a run of the README's method take a second."""


@pytest.fixture(scope="session")
def finished(drawn: Path, tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The --out folder of one finished run of the README's method. Not to be changed."""
    from harness.runs.plan import plan_run
    from harness.runs.run import execute
    from harness.spec.plugins import load_plugins

    out = tmp_path_factory.mktemp("finished") / "runs"
    plan = plan_run(
        "tiny",
        dataset=str(drawn),
        recipe="smoke",
        changes=SMALL[1::2],
        out=out,
        plugins=load_plugins([tiny]),
    )
    execute(plan, 40)
    return out
