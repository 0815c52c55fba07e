"""What lies beside a record comes back whole, or is named."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from harness.base.errors import FeaturesError, RecordError
from harness.evidence.features_file import write_features
from leaderboard_app.shared.answers import hits
from leaderboard_app.shared.evidence import read_evidence
from tests.leaderboard_app.evidence import PROTOCOL, made_evidence


def _record() -> Any:
    return SimpleNamespace(run_id="r", protocol=PROTOCOL.model_dump(mode="json"))


def test_evidence_comes_back_from_the_disk(tmp_path: Path) -> None:
    evidence = made_evidence(3)
    write_features(tmp_path / "features.npz", evidence.query, evidence.gallery)
    np.savez(tmp_path / "ranks.npz", rank_lists=evidence.rank_lists)
    read = read_evidence(_record(), tmp_path)
    assert np.array_equal(read.rank_lists, evidence.rank_lists)
    assert hits(read, 0, 5, with_removed=True) == hits(evidence, 0, 5, with_removed=True)


def test_evidence_that_is_gone_or_does_not_fit_is_named(tmp_path: Path) -> None:
    evidence = made_evidence(3)
    with pytest.raises(FeaturesError):
        read_evidence(_record(), tmp_path)
    write_features(tmp_path / "features.npz", evidence.query, evidence.gallery)
    with pytest.raises(RecordError, match="cannot be read"):
        read_evidence(_record(), tmp_path)
    for lists in (evidence.rank_lists[:3], evidence.rank_lists + 40):
        np.savez(tmp_path / "ranks.npz", rank_lists=lists)
        with pytest.raises(RecordError, match="do not fit"):
            read_evidence(_record(), tmp_path)
