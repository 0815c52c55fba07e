"""`pytest --harness-verify runs/`: every record becomes a test that rescores it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option."""
    group = parser.getgroup("harness")
    group.addoption(
        "--harness-verify",
        action="append",
        default=[],
        metavar="FOLDER",
        help="rescore every record.json under FOLDER from its stored features",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Refuse a folder that is not there, and let pytest collect the records in the others."""
    for folder in config.getoption("--harness-verify"):
        if not Path(folder).exists():
            raise pytest.UsageError(
                f"--harness-verify {folder}: there is no such folder; expected the --out folder "
                "of harness run (runs/ by default)"
            )


def pytest_collection(session: pytest.Session) -> None:
    """Collect the records beside whatever else was asked for."""
    folders = session.config.getoption("--harness-verify")
    if not folders:
        return
    # Without a path of one's own on the command line, pytest would collect the project's tests.
    if not _named_paths(session.config):
        session.config.args = []
    session.config.args += [str(p) for p in _records(folders) if str(p) not in session.config.args]


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Make a record a file of tests, when records were asked for."""
    asked = parent.config.getoption("--harness-verify")
    if asked and file_path.name == "record.json":
        return RecordFile.from_parent(parent, path=file_path)
    return None


def _named_paths(config: pytest.Config) -> bool:
    return config.args_source == pytest.Config.ArgsSource.ARGS


def _records(folders: list[str]) -> Iterator[Path]:
    for folder in folders:
        place = Path(folder).resolve()
        yield from [place] if place.is_file() else sorted(place.rglob("record.json"))


class RecordFile(pytest.File):
    """A record; its checks are its tests."""

    def collect(self) -> Iterator[pytest.Item]:
        """One test for each thing that can be checked again."""
        from harness.verify import verify

        for check in verify(self.path):
            yield RecordItem.from_parent(self, name=check.name, problem=check.problem)


class RecordItem(pytest.Item):
    """One check of one record."""

    def __init__(self, *, problem: str, **rest: Any) -> None:
        super().__init__(**rest)
        self.problem = problem

    def runtest(self) -> None:
        """Fail with what is wrong."""
        if self.problem:
            raise RecordMismatchError(self.problem)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The problem in words, without a traceback through the harness."""
        if isinstance(excinfo.value, RecordMismatchError):
            return f"{self.path}: {self.name}: {excinfo.value}"
        return super().repr_failure(excinfo)

    def reportinfo(self) -> tuple[Path, None, str]:
        """Where the record is."""
        return self.path, None, f"{self.parent.name if self.parent else ''}: {self.name}"


class RecordMismatchError(Exception):
    """A record says something else than its evidence."""
