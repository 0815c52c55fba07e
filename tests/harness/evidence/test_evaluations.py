"""Numbers under further protocols are kept beside a run's record."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.evidence.evaluations import FILE, keep, read
from harness.evidence.record import read_record
from tests.conftest import SMALL, Harness

WEIGHTS, OTHER = "a" * 64, "b" * 64


def result(protocol: str, mAP: float) -> dict[str, Any]:
    return {
        "source": "run x",
        "protocol": protocol,
        "protocol_hash": f"{len(protocol):064d}",
        "dataset": "somewhere",
        "data_hash": "c" * 64,
        "metrics": {"mAP": mAP},
        "intervals": {"mAP": [mAP - 1, mAP + 1]},
        "chance": {"mAP": 5.0},
        "valid_queries": 3,
        "queries": 4,
    }


def test_a_later_number_takes_the_place_of_the_same_protocols(tmp_path: Path) -> None:
    keep(tmp_path, WEIGHTS, [result("-TI", 10.0), result("RGB>TI", 20.0)])
    keep(tmp_path, WEIGHTS, [result("-TI", 12.0)])
    found = {one.protocol: one.metrics["mAP"] for one in read(tmp_path, WEIGHTS)}
    assert found == {"-TI": 12.0, "RGB>TI": 20.0}


def test_numbers_of_other_weights_are_not_shown(tmp_path: Path) -> None:
    keep(tmp_path, WEIGHTS, [result("-TI", 10.0)])
    assert read(tmp_path, OTHER) == []
    keep(tmp_path, OTHER, [result("-NI+", 11.0)])
    assert [one.protocol for one in read(tmp_path, OTHER)] == ["-NI+"]


def test_a_damaged_file_is_as_none(tmp_path: Path) -> None:
    for text in ("", "[1]", '{"a": 1}', '[{"protocol": "x"}]'):
        (tmp_path / FILE).write_text(text)
        assert read(tmp_path, WEIGHTS) == []


def test_evaluate_keeps_what_it_scored(
    harness: Harness, tiny: Path, drawn: Path, tmp_path: Path
) -> None:
    out = tmp_path / "runs"
    common = ("--dataset", drawn, "--plugin", tiny, "--out", out)
    run = harness("run", "--method", "tiny", "--recipe", "smoke", *SMALL, *common, "--json").json
    assert harness("evaluate", "--run", run["run_id"], "--protocol", "full", *common).code == 0
    folder = Path(run["record"]).parent
    weights = read_record(folder / "record.json").evidence["weights"]
    (one,) = read(folder, weights.sha256)
    assert one.metrics == run["metrics"]
