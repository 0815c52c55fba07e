"""Validation protocols look at train identities alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.base.errors import ProtocolError
from harness.spec.heldout import HeldOut
from tests.conftest import Harness

WORDS = ("--set", "epochs=1", "--set", "input.height=64", "--set", "input.width=32", "--json")


def test_the_same_identities_are_held_out_everywhere() -> None:
    seen_by = {pid: {0, 1} if pid % 2 else {0} for pid in range(1, 60)}
    first = HeldOut(identities=16).chosen(seen_by)
    again = HeldOut(identities=16).chosen(dict(sorted(seen_by.items(), reverse=True)))
    assert first == again and len(first) == 16
    assert all(pid % 2 for pid in first), "one camera alone leaves nothing to find"
    assert HeldOut(identities=16, seed=1).chosen(seen_by) != first


def test_too_few_identities_is_said() -> None:
    with pytest.raises(ProtocolError, match="5 of 5 train identities"):
        HeldOut(identities=4).chosen({pid: {0, 1} for pid in range(5)})


def test_a_run_under_validation_sees_no_test_image(
    harness: Harness, tiny: Path, tmp_path: Path
) -> None:
    words = ["run", "--method", "tiny", "--plugin", tiny, "--out", tmp_path, *WORDS]
    found = harness(*words, "--protocol", "validation").json
    assert found["queries"] == found["valid_queries"] == 16 * 8
    assert found["dataset"] == "synthetic"
    record = json.loads(Path(found["record"]).read_text())
    held = {int(name[:6]) for name in record["per_query"]["names"]}
    assert len(held) == 16 and held <= set(range(1, 25)), "train identities are 1 to 24"
    assert record["dataset"]["counts"]["train"]["identities"] == 8

    full = harness(*words).json
    assert full["queries"] == 144 and full["protocol_hash"] != found["protocol_hash"]
    asked = ["evaluate", "--run", full["run_id"], "--out", tmp_path, "--plugin", tiny, "--json"]
    refused = harness(*asked, "--protocol", "validation")
    assert refused.code == 2 and "hold out different train identities" in refused.error["seen"]


def test_validation_that_does_not_fit_is_refused_before_training(
    harness: Harness, tiny: Path, tmp_path: Path
) -> None:
    words = ["run", "--method", "tiny", "--plugin", tiny, "--out", tmp_path / "runs", *WORDS]
    answer = harness(*words, "--protocol", "validation-30")
    assert answer.code == 2 and "30 of them to hold out" in answer.error["expected"]
    assert not (tmp_path / "runs").exists()


def test_it_is_said_in_words(harness: Harness) -> None:
    text = harness("show", "protocol", "validation").out
    assert "16 identities" in text and "no test image is looked at" in text
