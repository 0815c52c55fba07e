"""Features files as sides of a comparison: scored as a run would be, and kept nowhere."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from harness.base.errors import FeaturesError, HarnessError
from harness.base.hashing import file_digest
from harness.base.progress import say
from harness.cli.sources import FeaturesSource
from harness.data.open import open_dataset
from harness.data.opened import OpenDataset
from harness.data.variants import data_summary
from harness.evidence import environment
from harness.evidence.record import RunRecord, make_record
from harness.runs.evaluation import evaluate, scored
from harness.spec.plugins import Plugins
from harness.spec.protocol import BoundProtocol, Protocol
from harness.store import Stored

_SUFFIXES = (".npz", ".npy", ".safetensors")


def is_features_file(word: str) -> bool:
    """Whether a word of the command means a features file, which need not be there."""
    return Path(word).suffix in _SUFFIXES and not Path(word).is_dir()


class ScoredFiles:
    """Features files under one protocol on one data set, scored when they are asked for.

    Args:
        dataset: As after --dataset; None is that of the runs beside the files.
        protocol: As after --protocol; None is that of the runs, or of the data set's card.
        beside: The runs, whose records say what they were scored on.
        known: What is installed.

    Raises:
        HarnessError: No data set is named or found, or the protocol does not apply to it.
    """

    def __init__(
        self, dataset: str | None, protocol: str | None, beside: Sequence[RunRecord], known: Plugins
    ) -> None:
        self._data = _data(dataset, beside, known)
        self._protocol: Protocol
        if protocol is None and beside:
            self._protocol = BoundProtocol.model_validate(beside[0].protocol)
        else:
            self._protocol = known.protocol(protocol or self._data.card.protocol)

    def run(self, path: Path) -> Stored:
        """A file as a run stands in a comparison, with a record that nothing else is made of.

        Raises:
            FeaturesError: No such file, or it does not fit the data set.
        """
        if not path.is_file():
            raise FeaturesError(
                seen=f"there is no file {path}",
                expected="descriptors, .npz or .safetensors, or the id or folder of a run",
                do="check the path",
            )
        source = FeaturesSource(path, self._data, alone=True)
        bound = source.settle(self._protocol)
        query, gallery = source.sides(bound)
        found = evaluate(query, gallery, bound)
        if found.tied_queries:
            say(f"warning: {path.name}: {found.tie_warning()}")
        record = make_record(
            created=datetime.now(UTC).isoformat(timespec="milliseconds"),
            harness_version=environment.harness_version(),
            method=f"file {path.name}",
            missing_policy="none",
            recipe={"name": path.name},
            recipe_hash=file_digest(path),
            dataset=data_summary(self._data),
            protocol=bound.model_dump(mode="json"),
            protocol_hash=bound.hash,
            seed=0,
            selection=bound.selection,
            code_hash="",
            inputs_hash="",
            training=(),
            cost={},
            environment={},
            evidence={},
            **scored(found, query),
        )
        return Stored(record, path)


def _data(dataset: str | None, beside: Sequence[RunRecord], known: Plugins) -> OpenDataset:
    if dataset is not None:
        return open_dataset(dataset, known)
    if beside:
        return open_dataset(str(beside[0].dataset.get("name")), known)
    raise HarnessError(
        seen="features files without the data set they are of",
        expected="--dataset NAME_OR_FOLDER: names and identities come from there",
        do="harness compare A.npz B.npz --dataset NAME_OR_FOLDER --protocol NAME",
    )
