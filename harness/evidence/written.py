"""What a record says of itself and of the files beside it, without any descriptor."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from harness.base.errors import ProtocolError
from harness.base.hashing import digest, file_digest
from harness.evidence import strict_json
from harness.evidence.check import Check, difference, first_difference
from harness.evidence.record import Evidence, RunRecord, record_id
from harness.spec.dataset import Card
from harness.spec.plugins import Plugins
from harness.spec.protocol import BoundProtocol
from harness.spec.recipe import Recipe

# The evidence of every record, and the one name its file can have.
EVIDENCE = {
    "weights": "weights.safetensors",
    "train": "train.jsonl",
    "features": "features.npz",
    "ranks": "ranks.npz",
}
# Rescoring does not need them, and they are too large to be sent with every run.
MAY_BE_ELSEWHERE = "weights"
# Fields of a protocol that change no number.
_WORDS = ("title", "used_by", "groups")


def checks_of_itself(record: RunRecord, folder: Path) -> Iterator[Check]:
    """The record's id, its evidence by hash, its recipe, what went into it, and its log."""
    yield Check("record id", _id_problem(record))
    for name in dict.fromkeys((*EVIDENCE, *record.evidence)):
        yield _evidence(name, record.evidence.get(name), folder)
    yield _recipe(record)
    yield Check("inputs hash", _hash_problem("inputs_hash", record.inputs_hash, inputs_of(record)))
    yield Check("training log", _log_problem(record, folder / EVIDENCE["train"]))
    yield _weights(record, folder / EVIDENCE["weights"])


def checks_of_protocol(record: RunRecord, card: Card | None, known: Plugins) -> Iterator[Check]:
    """The protocol's hash, and whether it is the one that is called so here."""
    try:
        protocol = BoundProtocol.model_validate(record.protocol)
    except ValidationError as error:
        yield Check("protocol", f"the record's protocol is none: {invalid(error)}")
        return
    said = f"protocol_hash is {record.protocol_hash[:16]} but the record's protocol hashes to "
    same = protocol.hash == record.protocol_hash
    yield Check("protocol hash", "" if same else said + protocol.hash[:16])
    yield Check("selection", difference(record.selection, protocol.selection))
    yield _named(protocol, card, known)


def inputs_of(record: RunRecord) -> dict[str, Any]:
    """What `harness.runs.run.run_inputs` gave for this run, from the record alone."""
    return {
        "recipe": record.recipe_hash,
        "data": record.data_hash,
        "protocol": record.protocol_hash,
        "seed": record.seed,
        "code": record.code_hash,
        "device": str(record.environment.get("device", "")).partition(":")[0],
        **{k: record.environment[k] for k in ("processes",) if k in record.environment},
    }


def invalid(error: ValidationError) -> str:
    """The first thing pydantic found, in one line."""
    first = error.errors()[0]
    return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"


def _id_problem(record: RunRecord) -> str:
    expected = record_id(record)
    if record.run_id == expected:
        return ""
    return f"run_id is {record.run_id} but the contents hash to {expected}: it was edited"


def _evidence(name: str, said: Evidence | None, folder: Path) -> Check:
    label = f"evidence {name}"
    if said is None:
        return Check(label, f"the record has no {name}")
    # A record from elsewhere may name any path; only the files that a run writes are evidence.
    if Path(said.file).name != said.file:
        return Check(label, f"{said.file!r} is not a file name beside the record")
    if said.file != EVIDENCE.get(name):
        return Check(label, f"{said.file!r} is not {EVIDENCE.get(name, 'a file of a run')!r}")
    if name == MAY_BE_ELSEWHERE and not (folder / said.file).is_file():
        return Check(label, unchecked=f"{said.file} is not here; rescoring does not need it")
    return Check(label, _file_problem(said, folder / said.file))


def _file_problem(said: Evidence, file: Path) -> str:
    if not file.is_file():
        return f"{said.file} is missing"
    found = file_digest(file)
    if found == said.sha256:
        return ""
    return f"{said.file} has SHA-256 {found[:16]}, the record says {said.sha256[:16]}"


def _recipe(record: RunRecord) -> Check:
    try:
        recipe = Recipe.model_validate(record.recipe)
    except ValidationError as error:
        return Check("recipe hash", f"the record's recipe is none: {invalid(error)}")
    if recipe.hash != record.recipe_hash:
        said = f"recipe_hash is {record.recipe_hash[:16]} but the record's recipe hashes to "
        return Check("recipe hash", said + recipe.hash[:16])
    said_of = {
        "method": (record.method, recipe.method),
        "data set": (record.dataset_label, recipe.dataset),
        "protocol": (record.protocol_name, recipe.protocol),
    }
    for what, (of_record, of_recipe) in said_of.items():
        if of_record != of_recipe:
            return Check(
                "recipe hash", f"the record's {what} is {of_record}, its recipe's {of_recipe}"
            )
    return Check("recipe hash")


def _named(protocol: BoundProtocol, card: Card | None, known: Plugins) -> Check:
    """Another filter under a well-known name would put a number into a reader's wrong drawer."""
    label = "protocol by name"
    here = known.protocols.get(protocol.name)
    if here is None or card is None:
        what = f"no protocol {protocol.name!r}" if here is None else "no card of the data set"
        return Check(label, unchecked=f"{what} is installed here")
    try:
        bound = here.bind(card)
    except ProtocolError as error:
        return Check(label, error.seen)
    if bound.hash == protocol.hash:
        return Check(label)
    if bound.version != protocol.version:
        versions = f"version {bound.version} here and {protocol.version} in the record"
        return Check(label, unchecked=f"{protocol.name} is {versions}")
    mine, its = bound.model_dump(mode="json"), protocol.model_dump(mode="json")
    fields = [k for k in mine if mine[k] != its[k] and k not in _WORDS]
    if fields == ["ties"] and protocol.ties is None:
        # The core's own change of meaning, which the version of someone's protocol does not know.
        what = "ranked equal distances by gallery order when the record was made"
        return Check(label, unchecked=f"{protocol.name} {what}, and does not any more")
    field = fields[0]
    return Check(
        label,
        f"{protocol.name} has {field} = {its[field]} in the record and {mine[field]} here: it is "
        "another protocol under that name",
    )


def _hash_problem(field: str, said: str, of: dict[str, Any]) -> str:
    found = digest(of)
    if said == found:
        return ""
    return f"{field} is {said[:16]} but {', '.join(of)} of the record hash to {found[:16]}"


def _log_problem(record: RunRecord, file: Path) -> str:
    try:
        rows = [strict_json.parse(line) for line in file.read_bytes().splitlines()]
        seconds = round(sum(float(row.get("seconds", 0)) for row in rows), 3)
    except FileNotFoundError:
        return ""  # said with the evidence
    except (ValueError, TypeError, AttributeError) as error:
        return f"{file.name} is no log: {str(error).splitlines()[0]}"
    wrong = first_difference(record.training, rows, "epoch {}".format, against=file.name)
    said = record.cost.get("training_seconds")
    if not wrong and said != seconds:
        return (
            f"the record says {said} s of training, the epochs of {file.name} add up to {seconds}"
        )
    return wrong


def _weights(record: RunRecord, file: Path) -> Check:
    """What the weights say they were made by; read from the header alone."""
    label = "weights"
    if not file.is_file():
        return Check(label, unchecked=f"{file.name} is not here")
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(file, framework="np") as opened:
            about = strict_json.parse((opened.metadata() or {}).get("about", "{}"))
    except (SafetensorError, OSError, ValueError) as error:
        return Check(label, f"{file.name} is no weights file: {str(error).splitlines()[0]}")
    about = about if isinstance(about, dict) else {}
    for key, said in (("seed", record.seed), ("recipe", record.recipe)):
        if about.get(key) != said:
            return Check(label, f"{file.name} was trained with another {key} than the record says")
    return Check(label)
