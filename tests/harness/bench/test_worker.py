"""A side of a comparison in a process of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from harness.base.errors import HarnessError
from harness.bench import Worker
from tests.conftest import ROOT


@pytest.fixture
def worker() -> Iterator[Worker]:
    target = "tests.harness.bench.work:counting"
    with Worker(target, {"start": 5}, threads=1, root=ROOT) as running:
        yield running


def test_it_stays_warm_between_rounds_and_its_chatter_is_no_answer(worker: Worker) -> None:
    assert worker.run().value == {"rounds": 6, "threads": "1"}
    assert worker.run().value["rounds"] == 7
    assert 0 < worker.seconds() < 1


def test_a_rounds_peak_is_that_rounds(worker: Worker) -> None:
    large, small = worker.run(mib=100), worker.run()
    assert large.peak_mib - large.start_mib > 95
    assert small.peak_mib - small.start_mib < 20


def test_failing_work_and_a_dead_process_say_so(worker: Worker) -> None:
    with pytest.raises(HarnessError, match="ValueError: no more"):
        worker.run(fail=True)
    with (
        Worker(worker.target, {"start": 0}, threads=1, root=ROOT) as other,
        pytest.raises(HarnessError, match="ended with 9: a peer's chatter"),
    ):
        other.run(die=True)


def test_work_that_cannot_be_prepared_says_why() -> None:
    with pytest.raises(HarnessError, match="not_there"):
        Worker("tests.harness.bench.work:not_there", {}, threads=1, root=ROOT)
