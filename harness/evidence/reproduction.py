"""Runs that were made again: evidence of the run they repeat, and no runs of their own."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

from harness.evidence.record import RunRecord

REPRODUCED = "reproduced"
"""The folder under --out that holds what was trained again."""
SAID = "reproduces"
"""Under `environment` of a record that `harness reproduce` wrote: the id of the run it repeats."""

# Records from before they said it are known by their folder: reproduced/ID/RECIPE/SEED.
_FOLDER = re.compile(r"([0-9a-f]{16})(\.\d+)?")


def reproduced_run(record: RunRecord, path: Path) -> str:
    """The id of the run that this one repeats; empty for a run of its own.

    Args:
        record: It.
        path: Of its file.
    """
    said = record.environment.get(SAID)
    if isinstance(said, str) and said:
        return said
    names = path.parts[:-1]
    for folder, name in itertools.pairwise(names):
        found = _FOLDER.fullmatch(name)
        if folder == REPRODUCED and found:
            return found[1]
    return ""
