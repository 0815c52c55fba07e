"""Every error a person can meet: what was seen, what was expected, what to do.

HarnessError                    the root; exit code 2, a person's mistake or their machine's state
    UnknownNameError            a method, data set, protocol, recipe or key that does not exist
    RecipeError                 a recipe that does not parse or holds a value out of range
    PlanError                   a plan of a table that does not parse or does not add up
    PluginError                 a plugin that cannot be loaded or breaks its contract
    DataError                   anything wrong with a data set on disk
        DatasetNotFoundError    the data set's folder is not where we looked
        LayoutError             a folder of the published layout is missing or empty
        FileNameError           a file name outside the data set's grammar
        IncompleteTripletError  a sample lacks the image of a modality
        UnreadableImageError    a file that is no image, or a damaged one
        IdentityLeakError       an identity of train that is also in query or gallery
        DuplicateImageError     the same bytes as pictures of different identities
    ProtocolError               a protocol that cannot be applied to a data set
        UnmatchedQueryError     queries whose every match is absent or filtered out
    ScoringError                distances or labels that cannot be scored
    FeaturesError               a features file that does not fit the data set
    CheckpointError             weights that do not fit the model
    PretrainedError             pretrained weights that cannot be had here
    TrainingError               a training that diverged or cannot start
    RunBusyError                another process works on the same run
    StoreError                  a store that cannot be opened or does not hold what was asked for
    RecordError                 a record or its evidence that is damaged or does not add up
        BundleError             a submitted archive that is damaged, too large or not plain
    DiskFullError               no space left where we write

Stopped                         a signal asked a training to stop; exit code 128 + its number
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

# Of known names in a message; a store may hold ten thousand runs.
_LISTED = 200


class HarnessError(Exception):
    """The root of all errors meant for people.

    Args:
        seen: What was found, with the offending value in it.
        expected: What should have been there.
        do: The next step for the reader; a command where there is one.
    """

    exit_code = 2

    def __init__(self, seen: str, expected: str, do: str) -> None:
        super().__init__(seen)
        self.seen = seen
        self.expected = expected
        self.do = do

    def __str__(self) -> str:
        """The three lines a person reads."""
        return f"{self.seen}\n  expected: {self.expected}\n  do this:  {self.do}"

    def as_dict(self) -> dict[str, str]:
        """The error as JSON-ready fields; `kind` is the class name."""
        return {
            "kind": type(self).__name__,
            "seen": self.seen,
            "expected": self.expected,
            "do": self.do,
        }


class UnknownNameError(HarnessError):
    """A name that is not in the list of known ones; says the nearest.

    Args:
        what: The kind of thing, such as "method" or "recipe key".
        name: The name that was asked for.
        known: All names that exist.
        do: What to do when no known name is near; defaults to listing them.
    """

    def __init__(self, what: str, name: str, known: Iterable[str], do: str | None = None) -> None:
        names = sorted(known)
        near = nearest(name, names)
        listed = ", ".join(names[:_LISTED])
        if len(names) > _LISTED:
            listed += f" and {len(names) - _LISTED} more"
        default = f"use one of the known names: {listed}" if names else f"make a {what} first"
        super().__init__(
            seen=f"unknown {what} {name!r}",
            expected=f"one of: {listed}" if names else f"the name of a {what}; there is none yet",
            do=f"did you mean {near!r}?" if near else (do or default),
        )
        self.nearest = near


class RecipeError(HarnessError):
    """A recipe that does not parse or holds a value out of range."""


class PlanError(HarnessError):
    """A plan of a table that does not parse or does not add up."""


class PluginError(HarnessError):
    """A plugin that cannot be loaded or breaks its contract."""


class DataError(HarnessError):
    """Anything wrong with a data set on disk."""


class DatasetNotFoundError(DataError):
    """The data set's folder is not where we looked."""


class LayoutError(DataError):
    """A folder of the published layout is missing or empty."""


class FileNameError(DataError):
    """A file name outside the data set's grammar."""


class IncompleteTripletError(DataError):
    """A sample lacks the image of a modality."""


class UnreadableImageError(DataError):
    """A file that is no image, or a damaged one."""


class IdentityLeakError(DataError):
    """An identity of train that is also in query or gallery."""


class DuplicateImageError(DataError):
    """The same bytes as pictures of different identities."""


class ProtocolError(HarnessError):
    """A protocol that cannot be applied to a data set."""


class UnmatchedQueryError(ProtocolError):
    """Queries whose every match is absent or filtered out."""


class ScoringError(HarnessError):
    """Distances or labels that cannot be scored."""


class FeaturesError(HarnessError):
    """A features file that does not fit the data set."""


class CheckpointError(HarnessError):
    """Weights that do not fit the model."""


class PretrainedError(HarnessError):
    """Pretrained weights that cannot be had here."""


class TrainingError(HarnessError):
    """A training that diverged or cannot start."""


class RunBusyError(HarnessError):
    """Another process works on the same run."""


class StoreError(HarnessError):
    """A store that cannot be opened or does not hold what was asked for."""


class RecordError(HarnessError):
    """A record or its evidence that is damaged or does not add up."""


class BundleError(RecordError):
    """A submitted archive that is damaged, too large or not plain."""


class DiskFullError(HarnessError):
    """No space left where we write."""


class Stopped(BaseException):
    """The system asked a training to stop; it is saved, and the same command goes on from there.

    Neither a HarnessError, since nothing is wrong, nor an Exception, since what goes on after one
    with the next run must not. Nor a KeyboardInterrupt, which typer takes for itself.

    Args:
        signal: The number of the signal.
        where: How far the training is, such as "epoch 3, step 7".
    """

    def __init__(self, signal: int, where: str) -> None:
        super().__init__(f"stopped by signal {signal} after {where}")
        self.exit_code = 128 + signal


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name most like `name`, or None when none is near (difflib ratio under 0.6)."""
    by_lower = {k.lower(): k for k in known}
    close = difflib.get_close_matches(name.lower(), by_lower, n=1)
    return by_lower[close[0]] if close else None
