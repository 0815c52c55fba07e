"""The names and labels of a features file, held against the data set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from harness.base.errors import HarnessError
from harness.data.lint import labels_of
from harness.data.open import open_dataset
from harness.data.opened import OpenDataset
from harness.data.validation import held_out
from harness.data.variants import data_summary
from harness.evidence.check import Check
from harness.evidence.features_file import Side
from harness.evidence.record import RunRecord
from harness.spec.dataset import Card, Sample, load_card
from harness.spec.plugins import Plugins
from harness.spec.protocol import BoundProtocol

# A variant is accepted on one machine; it is no fact of the data.
_OF_THE_MACHINE = ("accepted_variant",)


class Finder:
    """The data sets of records, each opened once.

    Args:
        known: What is installed.
        dataset: As after --dataset: this one is meant, whatever the record calls it.
    """

    def __init__(self, known: Plugins, dataset: str | None = None) -> None:
        self.known = known
        self.dataset = dataset
        self._found: dict[str, tuple[OpenDataset | None, str]] = {}

    def card(self, record: RunRecord) -> Card | None:
        """The card of a record's data set, or None where that set is not installed."""
        info = self.known.datasets.get(str(record.dataset.get("name")))
        return None if info is None else load_card(info.card)

    def data(self, record: RunRecord) -> tuple[OpenDataset | None, str]:
        """The data set itself, or None and why it is not here.

        Raises:
            HarnessError: The one named by --dataset cannot be opened.
        """
        if self.dataset is not None:
            if self.dataset not in self._found:
                self._found[self.dataset] = self._open(self.dataset), ""
            return _as_seen_by(record, *self._found[self.dataset])
        name = str(record.dataset.get("name"))
        if name not in self._found:
            self._found[name] = self._look(name)
        data, why = _as_seen_by(record, *self._found[name])
        if data is not None and data.data_hash != record.data_hash:
            said = f"the {data.label} at hand is other data ({data.data_hash[:12]})"
            return None, f"data set not here: {said} than the record's ({record.data_hash[:12]})"
        return data, why

    def _look(self, name: str) -> tuple[OpenDataset | None, str]:
        # Only an installed name: a record from a stranger must not choose a path to be read.
        if name not in self.known.datasets:
            return None, f"data set not here: none is called {name[:80]!r}"
        try:
            found = self._open(name)
            _ = found.data_hash
        except HarnessError as error:
            return None, f"data set not here: {error.seen.splitlines()[0]}"
        return found, ""

    def _open(self, spec: str) -> OpenDataset:
        # What is believed here must be what is on the disk now, not what is remembered of it.
        return replace(open_dataset(spec, self.known), reread=True)


def _as_seen_by(
    record: RunRecord, data: OpenDataset | None, why: str
) -> tuple[OpenDataset | None, str]:
    """The data with its captions, where the record's method was given some."""
    if data is None or "captions" not in record.dataset:
        return data, why
    try:
        return data.with_captions(), why
    except HarnessError as error:
        return None, f"data set not here: {error.seen.splitlines()[0]}"


def checks_of_data(
    record: RunRecord, protocol: BoundProtocol, query: Side, gallery: Side, finder: Finder
) -> Iterator[Check]:
    """Everything a features file says of the samples: which, in which order, and who they are."""
    yield from _counted(record, protocol, query, gallery)
    yield Check("published list", _published_problem(record, finder))
    data, why = finder.data(record)
    if data is None:
        for name in ("data set", "query names", "gallery names"):
            yield Check(name, unchecked=why)
        return
    yield Check("data set", _summary_problem(record, data, protocol))
    try:
        view = held_out(data, protocol.held_out)
        sides = {
            "query": (query, view.samples(protocol.query_split)),
            "gallery": (gallery, view.samples(protocol.gallery_split)),
        }
    except HarnessError as error:
        yield Check("query names", f"the data set cannot be read: {error.seen.splitlines()[0]}")
        return
    for side, (found, samples) in sides.items():
        yield Check(f"{side} names", _names_problem(side, found.names, samples))
        yield Check(f"{side} labels", _labels_problem(side, found, samples))


def _counted(
    record: RunRecord, protocol: BoundProtocol, query: Side, gallery: Side
) -> Iterator[Check]:
    """What the record itself says of the splits, which needs no data set."""
    said = record.dataset.get("counts")
    for name, split, side in (
        ("query", protocol.query_split, query),
        ("gallery", protocol.gallery_split, gallery),
    ):
        camids = side.labels.camids
        found = {
            "identities": len(set(side.labels.pids.tolist())),
            "samples": len(side.names),
            "cameras": 0 if camids is None else len(set(camids.tolist())),
        }
        here = said.get(split) if isinstance(said, dict) else None
        wrong = "" if here == found else f"the record says {here}, features.npz has {found}"
        yield Check(f"{name} counts", wrong)
        twice = len(side.names) - len(set(side.names))
        yield Check(f"{name} rows", f"{twice} names are there twice" if twice else "")


def _published_problem(record: RunRecord, finder: Finder) -> str:
    """A record may call its data the published set only with the published list and counts."""
    said, label = record.dataset, record.dataset_label
    card = finder.card(record)
    own = said.get("name") == label
    as_published = said.get("published_list") is True or (card is not None and card.embedded)
    if label in finder.known.datasets and not (own and as_published):
        return f"the label {label} is that of the published set, and the record's data are not"
    if not said.get("published_list") or card is None:
        return ""
    if said.get("file_list_hash") != card.file_list_hash:
        return f"file_list_hash is not that of {card.name}, {str(card.file_list_hash)[:16]}"
    return "" if record.protocol.get("held_out") is not None else _counts_problem(said, card)


def _counts_problem(said: Mapping[str, Any], card: Card) -> str:
    found = said.get("counts")
    for split, published in card.counts.items():
        here = found.get(split) if isinstance(found, dict) else None
        if here != published.model_dump():
            return f"the record says {here} of {split}, {card.name} has {published.model_dump()}"
    return ""


def _summary_problem(record: RunRecord, data: OpenDataset, protocol: BoundProtocol) -> str:
    here = data_summary(held_out(data, protocol.held_out))
    for key, value in here.items():
        if key not in _OF_THE_MACHINE and record.dataset.get(key) != value:
            said = record.dataset.get(key)
            return f"{key}: the record says {said}, the data set at {data.root} has {value}"
    return ""


def _names_problem(side: str, names: Sequence[str], samples: Sequence[Sample]) -> str:
    wanted = [s.name for s in samples]
    there, meant = set(names), set(wanted)
    lacking = [name for name in wanted if name not in there]
    spare = [name for name in names if name not in meant]
    if lacking or spare:
        parts = [f"lacks {len(lacking)} of them, first {lacking[0]}"] if lacking else []
        parts += [f"has {len(spare)} others, first {spare[0]}"] if spare else []
        return f"the data set has {len(wanted)} {side} images; features.npz " + " and ".join(parts)
    wrong = [i for i, (a, b) in enumerate(zip(names, wanted, strict=False)) if a != b]
    if wrong or len(names) != len(wanted):
        i = wrong[0] if wrong else len(wanted)
        first = f"row {i} is {names[i]}" + (f" instead of {wanted[i]}" if wrong else "")
        return f"{len(wrong) or 'some'} {side} rows are not in the data set's order: {first}"
    return ""


def _labels_problem(side: str, found: Side, samples: Sequence[Sample]) -> str:
    row = {s.name: s for s in samples}
    known = [i for i, name in enumerate(found.names) if name in row]
    true = labels_of(tuple(row[found.names[i]] for i in known))
    for field, word in (("pids", "identity"), ("camids", "camera"), ("scenes", "scene")):
        said, is_ = getattr(found.labels, field), getattr(true, field)
        if (said is None) != (is_ is None):
            return f"features.npz has {'no ' if said is None else ''}{field}, the data set not so"
        if said is None:
            continue
        wrong = [j for j, i in enumerate(known) if said[i] != is_[j]]
        if wrong:
            j = wrong[0]
            i = known[j]
            return (
                f"{len(wrong)} {side} rows have another {word}: row {i} ({found.names[i]}) has "
                f"{said[i]}, the data set says {is_[j]}"
            )
    return ""
