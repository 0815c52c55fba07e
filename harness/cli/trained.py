"""From `--run` or `--checkpoint` to a model that can be scored."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness.base.errors import CheckpointError, DatasetNotFoundError, RecordError
from harness.base.hashing import file_digest
from harness.base.progress import say
from harness.cli.sources import ModelSource
from harness.data.captioned import as_shown_to
from harness.data.open import open_dataset
from harness.data.opened import OpenDataset
from harness.data.validation import held_out
from harness.evidence.record import RunRecord, read_record
from harness.runs.plan import Plan, plan_run
from harness.spec.method import MethodInfo
from harness.spec.plugins import Plugins
from harness.spec.protocol import BoundProtocol, Protocol
from harness.spec.resolve import from_record
from harness.verify.reproduce import method_of

_SIZE = ("input.height=", "input.width=")


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
        data=held_out(_data_of(record, info, dataset, known), protocol.held_out),
        protocol=protocol,
        out=out,
        device=device,
        findings=(),
        learnt_cameras=_cameras_of(read_about(weights)),
    )
    source = ModelSource(plan, weights, None, f"run {record.run_id}", "the record of the run")
    return source, record


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
    said = about.get("recipe")
    said = said if isinstance(said, dict) and method in (None, said.get("method")) else {}
    name = method or said.get("method")
    if name is None:
        raise CheckpointError(
            seen=f"{path} does not say which method it is of",
            expected="a weights file of ours, or --method",
            do="--method NAME; see: harness list methods",
        )
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
        written=said or None,
        training=False,
    )
    source = ModelSource(plan, path, classes, str(path), _recipe_from(path, said, recipe, changes))
    if recipe is None and not said:
        _warn_of_size(source, changes)
    return source


def _recipe_from(path: Path, said: Any, recipe: str | None, changes: Sequence[str]) -> str:
    """What a model's recipe was taken from, in words."""
    found = "the weights file" if said else f"the default, since {path.name} does not say"
    if recipe is not None:
        found = "--recipe"
    return " ".join([found, *(f"--set {change}" for change in changes)])


def _warn_of_size(source: ModelSource, changes: Sequence[str]) -> None:
    """Someone else's weights fit a model at any size, and score far worse at a wrong one."""
    if all(any(c.startswith(key) for c in changes) for key in _SIZE):
        return
    size = source.plan.resolved.recipe.input
    say(
        f"warning: {source.weights.name} does not say at which input size it was trained; "
        f"{size.height}x{size.width} is that of the recipe {source.plan.resolved.recipe.name}. "
        "If it was another: --recipe NAME, or --set input.height=H --set input.width=W"
    )


def _cameras_of(about: dict[str, Any]) -> tuple[int, ...] | None:
    """The cameras a file of ours was trained on; None for one that does not say."""
    said = about.get("cameras")
    return tuple(int(camid) for camid in said) if isinstance(said, list) else None


def _folder(run: str, out: Path) -> Path:
    place = Path(run)
    if place.is_dir() or place.name == "record.json":
        folder = place if place.is_dir() else place.parent
        say(f"reading {folder.resolve()}")
        return folder
    from harness.store import open_store

    store = open_store(out)
    path = store.get(run).path
    store.places.say_read(path)
    return path.parent


def _data_of(
    record: RunRecord, info: MethodInfo, dataset: str | None, known: Plugins
) -> OpenDataset:
    if dataset is not None:
        data = as_shown_to(info, open_dataset(dataset, known))
        if data.data_hash != record.data_hash:
            say(f"{data.label} is other data than the run was trained on ({record.dataset_label})")
        return data
    try:
        data = as_shown_to(info, open_dataset(str(record.dataset.get("name")), known))
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
