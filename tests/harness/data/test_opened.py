"""What a loader gives, made safe where it enters."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from harness.base.errors import DataError, ScoringError
from harness.data.open import open_dataset
from harness.scoring.labels import Labels
from harness.spec.dataset import Card, Sample, Scan, Split
from harness.spec.plugins import load_plugins


class _Theirs:
    """A loader of somebody else, with identities that are hashes."""

    described_by: tuple[Path, ...] = ()
    pids: ClassVar = (3, 2**63, -(2**70))

    def __init__(self, root: Path, card: Card) -> None:
        self.root, self.card = root, card

    @staticmethod
    def recognises(root: Path, card: Card) -> bool:
        return False

    def scan(self, split: Split) -> Scan:
        return Scan(tuple(Sample(f"{p}.jpg", p, 0, None, {}) for p in self.pids), ())


def test_numbers_that_no_array_can_hold_are_problems(drawn: Path) -> None:
    data = open_dataset(str(drawn), load_plugins())
    theirs = replace(data, loader=_Theirs(drawn, data.card))
    scan = theirs.scans["query"]
    assert [s.pid for s in scan.samples] == [3] and len(scan.problems) == 2
    with pytest.raises(DataError, match=str(2**63)):
        theirs.samples("query")


def test_unsigned_labels_do_not_turn_negative() -> None:
    with pytest.raises(ScoringError, match=str(2**63)):
        Labels(np.array([2**63], dtype=np.uint64), None)
    assert Labels(np.array([2**63 - 1], dtype=np.uint64), None).pids.tolist() == [2**63 - 1]
