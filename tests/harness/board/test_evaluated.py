"""Numbers of runs under further protocols, as rows beside those of other runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.base.files import write_json
from harness.board.evaluated import Evaluations
from harness.evidence.evaluations import FILE, Evaluated
from harness.evidence.record import METRICS, Evidence
from harness.spec.text import CAPTIONS
from harness.store.rows import summary_of
from tests.harness.records import make

PICTURES, BOTH = "a" * 64, "b" * 64
LABEL = f"set{CAPTIONS}12345678"


def _evaluated(protocol: str, dataset: str = LABEL, pictures: str = PICTURES) -> Evaluated:
    return Evaluated(
        protocol=protocol,
        dataset=dataset,
        protocol_hash=("1" if protocol == "full" else "2") * 64,
        data_hash=BOTH,
        pictures_hash=pictures,
        weights="c" * 64,
        metrics=dict.fromkeys(METRICS, 20.0),
        intervals={},
        chance={},
        valid_queries=1,
        queries=2,
    )


@pytest.mark.parametrize(
    ("one", "table"),
    [
        (_evaluated("full"), None),
        (_evaluated("-NI"), PICTURES),
        # A label that says nothing of captions hides none of them.
        (_evaluated("-NI", dataset="set"), BOTH),
        (_evaluated("-NI", pictures=""), BOTH),
    ],
)
def test_a_run_with_captions_is_scored_in_the_table_of_its_pictures(
    tmp_path: Path, one: Evaluated, table: str | None
) -> None:
    run = make(
        dataset={"label": LABEL, "data_hash": BOTH, "pictures_hash": PICTURES},
        protocol_hash="1" * 64,
        evidence={"weights": Evidence(file="weights.safetensors", sha256="c" * 64)},
    )
    write_json(tmp_path / FILE, [one.model_dump(mode="json")])
    found = Evaluations([summary_of(run, tmp_path / "record.json")], lambda _: run).summaries
    assert [s.data_hash for s in found] == ([] if table is None else [table])
