"""A training that another run in the same folder finished: taken over instead of done again.

Runs that differ in what is queried and searched alone train the same model, as the columns of a
table of missing modalities do.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from harness.base.errors import RecordError
from harness.base.files import replacing, write_json
from harness.base.hashing import digest, file_digest
from harness.base.progress import say
from harness.evidence.record import RunRecord, read_record, record_id
from harness.runs.plan import Plan

WEIGHTS, LOG, PEAK = "weights.safetensors", "train.jsonl", "training-peak.json"
TRAINED_IN = "trained-in.json"
"""Names the run whose training this is; not there where the training is the run's own."""


class Trained(NamedTuple):
    """A finished run whose training has the inputs that are wanted."""

    folder: Path
    record: RunRecord


def train_inputs(plan: Plan, inputs: dict[str, Any], arrays: str) -> dict[str, Any]:
    """Everything that decides the weights, by name: what is tested on is not among it.

    Args:
        plan: The run.
        inputs: As `run_inputs` gives them.
        arrays: The key of the decoded images.
    """
    recipe = plan.resolved.recipe.dumped()
    return {k: v for k, v in inputs.items() if k != "protocol"} | {
        "recipe": digest({k: v for k, v in recipe.items() if k != "protocol"}),
        "modalities": list(plan.modalities("train")),
        "cameras": list(plan.cameras),
        "split": plan.protocol.train_split,
        "arrays": arrays,
        "held_out": plan.protocol.model_dump(mode="json")["held_out"],
    }


def take_over(plan: Plan, seed: int, folder: Path, key: str) -> bool:
    """Put the training of another run into this run's folder; False where there is none to take.

    The weights file is written as this run's own training would have written it, byte for byte;
    the log and its seconds are the other's, and the record says whose (`cost.trained_in`).

    Args:
        plan: The run.
        seed: Of the run.
        folder: Of the run.
        key: The hash of its `train_inputs`.
    """
    (folder / TRAINED_IN).unlink(missing_ok=True)
    found = next(_finished(plan.out, seed, folder, key), None)
    if found is None:
        return False
    first = found.record.cost.get("trained_in", found.record.run_id)
    say(f"train: the same training is in {found.folder} (run {found.record.run_id}), taken over")
    for name in (LOG, PEAK):
        _copy(found.folder / name, folder / name)
    _rewrite(found.folder / WEIGHTS, folder / WEIGHTS, plan)
    write_json(folder / TRAINED_IN, first)
    return True


def _finished(out: Path, seed: int, own: Path, key: str) -> Iterator[Trained]:
    """Runs of this seed with that training, whose record and files are whole and unchanged."""
    for stages in sorted(out.glob(f"*/{seed}/stages.json")):
        folder = stages.parent
        if folder == own or _training_of(stages) != key or not (folder / PEAK).is_file():
            continue
        try:
            record = read_record(folder / "record.json")
        except RecordError:
            # Not finished yet: its weights are vouched for by nothing.
            continue
        if record.run_id == record_id(record) and _vouched(record, folder):
            yield Trained(folder, record)


def _training_of(stages: Path) -> str | None:
    try:
        found: str = json.loads(stages.read_text(encoding="utf-8"))["train"]["key"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found


def _vouched(record: RunRecord, folder: Path) -> bool:
    """Whether weights and log are the ones that the record was made with."""
    files = {one.file: one.sha256 for one in record.evidence.values()}
    return all(
        name in files and (folder / name).is_file() and file_digest(folder / name) == files[name]
        for name in (WEIGHTS, LOG)
    )


def _copy(source: Path, target: Path) -> None:
    with replacing(target) as temporary:
        shutil.copyfile(source, temporary)


def _rewrite(source: Path, target: Path, plan: Plan) -> None:
    """The same tensors, with this run's recipe beside them."""
    from safetensors.torch import save_file

    from harness.training.checkpoint import read_weights

    tensors, about = read_weights(source)
    about |= {"recipe": plan.resolved.recipe.dumped()}
    with replacing(target) as temporary:
        save_file(tensors, temporary, metadata={"about": json.dumps(about)})
