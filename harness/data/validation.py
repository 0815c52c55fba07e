"""A data set seen through a validation protocol: held-out train identities in the place of test."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from harness.data.captions import Caption
from harness.data.opened import OpenDataset
from harness.spec.dataset import Card, Sample, Scan, Split
from harness.spec.heldout import HeldOut


class _WithoutTest:
    """A loader whose query and gallery are the held-out part of another's train split."""

    def __init__(self, root: Path, card: Card) -> None:
        self.root = root
        self.card = card
        self.described_by: tuple[Path, ...] = ()
        self.scans: dict[Split, Scan] = {}
        self.captions: Callable[[], Iterable[Caption]] | None = None

    @staticmethod
    def recognises(root: Path, card: Card) -> bool:
        """Never: it is made from a data set that is open already."""
        return False

    def scan(self, split: Split) -> Scan:
        """Its part of the train split."""
        return self.scans[split]


def held_out(data: OpenDataset, rule: HeldOut | None) -> OpenDataset:
    """The data set as a validation protocol sees it, or as it is without a rule.

    Its name, label and hashes stay those of the data set: what is on the disk is the same.

    Raises:
        ProtocolError: Too few train identities for the rule.
        DataError: The train split is broken.
    """
    if rule is None:
        return data
    train = data.samples("train")
    by_scene = data.card.filter == "same_pid_same_scene"
    seen_by: dict[int, set[int]] = {}
    for sample in train:
        place = sample.scene if by_scene else sample.camid
        seen_by.setdefault(sample.pid, set()).add(-1 if place is None else place)
    chosen = rule.chosen(seen_by)
    # A folder of its own name keeps the two parts apart where a folder is read once.
    folder = data.card.folders["train"]
    apart = f"{folder} (held out)"
    card = data.card.model_copy(
        update={"folders": {"train": folder, "query": apart, "gallery": apart}, "counts": {}}
    )
    loader = _WithoutTest(data.root, card)
    loader.scans = {"train": _part(train, chosen, inside=False)}
    loader.scans["query"] = loader.scans["gallery"] = _part(train, chosen, inside=True)
    loader.captions = getattr(data.loader, "captions", None)
    view = replace(data, card=card, loader=loader)
    # Where cached properties keep what they computed: the hashes are those of the whole set.
    kept = {name: getattr(data, name) for name in ("pictures_hash", "file_list_hash", "pixels")}
    vars(view).update(kept)
    return view


def _part(train: tuple[Sample, ...], chosen: frozenset[int], inside: bool) -> Scan:
    return Scan(tuple(s for s in train if (s.pid in chosen) == inside), ())
