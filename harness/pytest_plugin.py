"""`pytest --harness-verify runs/` and `--harness-reproduce RUN`: records become tests."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from harness.verify import Check, Finder, Found

_POINTS = 3.0
_MARKS = {
    "harness_verify": "a check of a record: its hashes, its numbers computed again, its claim",
    "harness_reproduce": "trains a recorded run again and compares; as slow as the run was",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("harness", "records of the re-identification harness")
    group.addoption(
        "--harness-verify",
        action="append",
        default=[],
        metavar="FOLDER",
        help="check every record.json under FOLDER: hashes, every number, the paper's claim",
    )
    group.addoption(
        "--harness-reproduce",
        action="append",
        default=[],
        metavar="RUN",
        help="train this run again, named by its folder or its id in runs/, and compare",
    )
    group.addoption(
        "--harness-plugin",
        action="append",
        default=[],
        metavar="PATH",
        help="a .py file or folder with the methods of the records, as harness run --plugin",
    )
    group.addoption(
        "--harness-dataset",
        metavar="NAME_OR_FOLDER",
        help="the data set of the records; without it, looked for by its name",
    )
    group.addoption(
        "--harness-tolerance",
        type=float,
        default=_POINTS,
        metavar="POINTS",
        help=f"how far below its paper an official run may be, in percent (default {_POINTS})",
    )
    group.addoption(
        "--harness-allow-other-code",
        action="store_true",
        help="train again although the code has changed since",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the marks, and refuse a folder that is not there."""
    for mark, words in _MARKS.items():
        config.addinivalue_line("markers", f"{mark}: {words}")
    for folder in config.getoption("--harness-verify"):
        if not Path(folder).exists():
            raise pytest.UsageError(
                f"--harness-verify {folder}: there is no such folder; expected the --out folder "
                "of harness run (runs/ by default)"
            )


def pytest_collection(session: pytest.Session) -> None:
    """Collect the records beside whatever else was asked for."""
    wanted = [*_to_verify(session.config), *_to_reproduce(session.config)]
    if not wanted and not session.config.getoption("--harness-verify"):
        return
    # Without a path of one's own on the command line, pytest would collect the project's tests.
    if session.config.args_source != pytest.Config.ArgsSource.ARGS:
        session.config.args = []
    for path in wanted:
        if str(path) not in session.config.args:
            session.config.args.append(str(path))


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Make a record a file of tests, when it was asked for."""
    config = parent.config
    asked = config.getoption("--harness-verify") or config.getoption("--harness-reproduce")
    if asked and file_path.name == "record.json":
        return RecordFile.from_parent(parent, path=file_path)
    return None


def _to_verify(config: pytest.Config) -> Iterator[Path]:
    for folder in config.getoption("--harness-verify"):
        place = Path(folder).resolve()
        yield from [place] if place.is_file() else sorted(place.rglob("record.json"))


def _to_reproduce(config: pytest.Config) -> Iterator[Path]:
    from harness.base.errors import HarnessError
    from harness.verify.asked import asked_run

    for word in config.getoption("--harness-reproduce"):
        try:
            path = asked_run(word, Path("runs")).path.resolve()
        except HarnessError as error:
            raise pytest.UsageError(f"--harness-reproduce {word}: {error}") from error
        if not path.is_file():
            raise pytest.UsageError(
                f"--harness-reproduce {word}: there is no record.json; expected the folder of a "
                "finished run, or its id in runs/"
            )
        yield path


def _finder(config: pytest.Config) -> Finder:
    """One for the whole session: a data set is opened once for all its records."""
    from harness.spec.plugins import load_plugins
    from harness.verify import Finder

    found: Finder | None = config.stash.get(_FINDER, None)
    if found is None:
        paths = [Path(p) for p in config.getoption("--harness-plugin")]
        found = Finder(load_plugins(paths), config.getoption("--harness-dataset"))
        config.stash[_FINDER] = found
    return found


_FINDER: pytest.StashKey[Any] = pytest.StashKey()


class RecordFile(pytest.File):
    """A record; its checks are its tests."""

    def collect(self) -> Iterator[pytest.Item]:
        """One test for each check, and one that trains again, as far as asked for."""
        from harness.base.errors import HarnessError
        from harness.verify import Check, checks_of, read

        path = self.path.resolve()
        try:
            found = read(path)
            if path in set(_to_verify(self.config)):
                checks = [*checks_of(found, _finder(self.config)), *_others(found, self.config)]
                for check in checks:
                    yield CheckItem.from_parent(self, name=check.name, check=check)
        except HarnessError as error:
            check = Check("record", f"{error}")
            yield CheckItem.from_parent(self, name=check.name, check=check)
            return
        if path in set(_to_reproduce(self.config)):
            yield ReproduceItem.from_parent(self, name="trained again", found=found)


def _others(found: Found, config: pytest.Config) -> Iterator[Check]:
    """What a record is held against beside its own evidence."""
    from harness.verify.claim import check_of_determinism, checks_of_claim

    yield check_of_determinism(found.record)
    points = config.getoption("--harness-tolerance")
    yield from checks_of_claim(found.record, _finder(config).known, points)


class _RecordItem(pytest.Item):
    """A test of a record; it fails in words, without a traceback through the harness."""

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """What is wrong, where, and what to do next."""
        from harness.base.errors import HarnessError

        if isinstance(excinfo.value, RecordMismatchError | HarnessError):
            return f"{self.path}: {self.name}: {excinfo.value}"
        return super().repr_failure(excinfo)

    def reportinfo(self) -> tuple[Path, None, str]:
        """Where the record is."""
        return self.path, None, f"{self.parent.name if self.parent else ''}: {self.name}"


class CheckItem(_RecordItem):
    """One check of one record."""

    def __init__(self, *, check: Check, **rest: Any) -> None:
        super().__init__(**rest)
        self.check = check
        self.add_marker("harness_verify")

    def runtest(self) -> None:
        """Fail with what is wrong, or skip with why it could not be checked."""
        if self.check.problem:
            raise RecordMismatchError(self.check.problem)
        if self.check.unchecked:
            pytest.skip(self.check.unchecked)


class ReproduceItem(_RecordItem):
    """One run, trained again from its record."""

    def __init__(self, *, found: Found, **rest: Any) -> None:
        super().__init__(**rest)
        self.found = found
        self.add_marker("harness_reproduce")

    def runtest(self) -> None:
        """Train in a folder that is gone afterwards; fail with what is out of tolerance."""
        from harness.verify import checks_of, failures
        from harness.verify.reproduce import again, compare_again, plan_again

        finder, record = _finder(self.config), self.found.record
        wrong = failures(list(checks_of(self.found, finder)))
        if wrong:
            raise RecordMismatchError(f"not trained: {wrong[0].name}: {wrong[0].problem}")
        allowed = self.config.getoption("--harness-allow-other-code")
        with tempfile.TemporaryDirectory(prefix="harness-reproduce-") as place:
            plan = plan_again(record, finder, Path(place), "auto", allowed)
            compared = compare_again(record, again(plan, record).record)
        if compared.problems:
            reasons = [f"other than it was: {why}" for why in compared.why]
            raise RecordMismatchError("\n  ".join([*compared.problems, *reasons]))


class RecordMismatchError(Exception):
    """A record says something else than its evidence."""
