"""From `--run` or `--checkpoint` to a model that can be scored."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness.base.errors import CheckpointError, DatasetNotFoundError, RecordError
from harness.base.hashing import file_digest
from harness.base.progress import say
from harness.cli.sources import ModelSource
from harness.data.open import open_dataset
from harness.data.opened import OpenDataset
from harness.data.validation import held_out
from harness.evidence.record import RunRecord, read_record
from harness.runs.plan import Plan, plan_run
from harness.spec.changes import flat, value_text
from harness.spec.plugins import Plugins
from harness.spec.protocol import BoundProtocol, Protocol
from harness.spec.resolve import from_record
from harness.verify.reproduce import method_of


def from_run(
    run: str, out: Path, dataset: str | None, device: str, known: Plugins
) -> tuple[ModelSource, RunRecord]:
    """The model of a finished run, by its folder or its id.

    Raises:
        RecordError: No such run, or its weights are gone or not those of the record.
        DatasetNotFoundError: Its data set is not in a usual place; name it.
    """
    folder = _folder(run, out)
    record = read_record(folder / "record.json")
    weights = folder / "weights.safetensors"
    said = record.evidence.get("weights")
    if said is None or not weights.is_file() or file_digest(weights) != said.sha256:
        raise RecordError(
            seen=f"{weights} is " + ("not the file of its record" if weights.exists() else "gone"),
            expected="the weights that the run wrote" + (f" ({said.sha256[:12]})" if said else ""),
            do="start the run again; finished stages are not done twice",
        )
    from harness.training.weights import read_about

    info = method_of(record, known)
    protocol = BoundProtocol.model_validate(record.protocol)
    plan = Plan(
        info=info,
        resolved=from_record(info, record.recipe),
        data=held_out(_data_of(record, dataset, known), protocol.held_out),
        protocol=protocol,
        out=out,
        device=device,
        findings=(),
        learnt_cameras=_cameras_of(read_about(weights)),
    )
    return ModelSource(plan, weights, None, f"run {record.run_id}"), record


def from_checkpoint(
    path: Path,
    dataset: str | None,
    asked: Sequence[Protocol],
    method: str | None,
    recipe: str | None,
    classes: int | None,
    changes: Sequence[str],
    device: str,
    known: Plugins,
) -> ModelSource:
    """The model of a weights file; a file of ours says how it was trained.

    Raises:
        CheckpointError: It does not say which method it is of, and neither does the command.
    """
    from harness.training.weights import read_about

    about = read_about(path)
    said = about.get("recipe", {})
    name = method or said.get("method")
    if name is None:
        raise CheckpointError(
            seen=f"{path} does not say which method it is of",
            expected="a weights file of ours, or --method",
            do="--method NAME; see: harness list methods",
        )
    if said and recipe is None and not changes:
        # The file's own recipe decides the input size and the method's options.
        changes = _changes_of(said)
        recipe = recipe or "common"
    trained = said.get("protocol")
    plan = plan_run(
        str(name),
        dataset=dataset,
        protocol=trained if trained in known.protocols else next((p.name for p in asked), None),
        recipe=recipe,
        changes=changes,
        device=device,
        plugins=known,
        learnt_cameras=_cameras_of(about),
        training=False,
    )
    return ModelSource(plan, path, classes, str(path))


def _cameras_of(about: dict[str, Any]) -> tuple[int, ...] | None:
    """The cameras a file of ours was trained on; None for one that does not say."""
    said = about.get("cameras")
    return tuple(int(camid) for camid in said) if isinstance(said, list) else None


def _folder(run: str, out: Path) -> Path:
    place = Path(run)
    if place.name == "record.json":
        return place.parent
    if place.is_dir():
        return place
    from harness.store import open_store

    return open_store(out).get(run).path.parent


def _data_of(record: RunRecord, dataset: str | None, known: Plugins) -> OpenDataset:
    if dataset is not None:
        data = open_dataset(dataset, known)
        if data.data_hash != record.data_hash:
            say(f"{data.label} is other data than the run was trained on ({record.dataset_label})")
        return data
    try:
        data = open_dataset(str(record.dataset.get("name")), known)
    except DatasetNotFoundError as error:
        raise DatasetNotFoundError(
            error.seen, f"the data of the run, {record.dataset_label}", "name it: --dataset FOLDER"
        ) from error
    if data.data_hash != record.data_hash:
        raise RecordError(
            seen=f"the run was trained on {record.dataset_label} ({record.data_hash[:12]}), and "
            f"{data.root} holds {data.label} ({data.data_hash[:12]})",
            expected="the data of the run, or a set named on purpose",
            do="name it: --dataset FOLDER",
        )
    return data


def _changes_of(recipe: dict[str, Any]) -> list[str]:
    """Size and options of a recipe as after --set."""
    # A method without options has an empty section, which is no option either.
    kept = {name: v for name, v in recipe.items() if name in ("input", "config") and v}
    return [f"{key}={value_text(value)}" for key, value in flat(kept).items()]
