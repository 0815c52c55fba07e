"""Any set, from a manifest: one row for each sample, with the paths of its images."""

from __future__ import annotations

import os
from pathlib import Path

from harness.base.errors import DataError, IncompleteTripletError, UnknownNameError
from harness.spec.dataset import Card, Range, Sample, Scan, Split
from harness.spec.filters import Filter
from harness.spec.modality import MODALITIES, Modality, in_order
from reid_datasets.manifest import RANGES, SUFFIXES, Row, read_rows

_SPLITS: dict[str, tuple[Split, ...]] = {
    "train": ("train",),
    "query": ("query",),
    "gallery": ("gallery",),
    "test": ("query", "gallery"),
}


class Custom:
    """A manifest beside or above its images; `root` is the folder that holds them all."""

    def __init__(self, root: Path, card: Card) -> None:
        self.path = Path(os.path.normpath(root.absolute()))
        self.described_by: tuple[Path, ...] = (self.path,)
        self.problems: list[DataError] = []
        self._samples: dict[Split, dict[str, Sample]] = {s: {} for s in ("train", *_SPLITS["test"])}
        rows = self._rows()
        self._take(rows)
        self._ranges = self._found_ranges(rows)
        self.root = self._common_folder()
        self.card = self._described(card, rows)

    @staticmethod
    def recognises(root: Path, card: Card) -> bool:
        """Whether it is a file called .csv or .json."""
        return root.is_file() and root.suffix.lower() in SUFFIXES

    def scan(self, split: Split) -> Scan:
        """The samples of a split; what is wrong with the manifest is said with train."""
        found = self._samples[split]
        problems = list(self.problems) if split == "train" else []
        if split != "train" and not found and not self.problems:
            problems.append(
                DataError(
                    seen=f"no row of {self.path} is of the split {split}",
                    expected="rows with the split query and gallery, or test for both",
                    do="give each row its split",
                )
            )
        notes = self.card.notes[:1] if split == "query" else ()
        return Scan(tuple(found[name] for name in sorted(found)), tuple(problems), notes)

    def _rows(self) -> list[Row]:
        try:
            return read_rows(self.path)
        except DataError as error:
            self.problems.append(error)
        except UnknownNameError as error:
            self.problems.append(DataError(error.seen, error.expected, error.do))
        return []

    def _take(self, rows: list[Row]) -> None:
        """Make samples of the rows, and problems of those that cannot be."""
        with_cameras = any(row.values.get("camid") for row in rows)
        places: dict[tuple[Split, str], str] = {}
        for row in rows:
            try:
                sample = self._sample(row, with_cameras)
                for split in self._splits(row):
                    first = places.setdefault((split, sample.name), row.place)
                    if first != row.place:
                        raise row.wrong(
                            f"{sample.name} is in {split} already, at {first}",
                            "each name once in a split",
                            "remove one of the two rows, or give each a name of its own",
                        )
                    self._samples[split][sample.name] = sample
            except DataError as error:
                error.seen = f"{self.path.name}, {error.seen}"
                self.problems.append(error)

    def _sample(self, row: Row, with_cameras: bool) -> Sample:
        paths: dict[Modality, Path] = {}
        written = {m: row.values[m] for m in MODALITIES if row.values.get(m)}
        for modality, text in written.items():
            path = Path(os.path.normpath(self.path.parent / text.replace("\\", "/")))
            if not path.is_file():
                raise IncompleteTripletError(
                    seen=f"{row.place}: there is no {modality} file {path}",
                    expected="a path relative to the manifest, or nothing for an absent modality",
                    do="mend the path, or empty the cell if this sample has no such image",
                )
            paths[modality] = path
        if not paths:
            raise row.wrong(
                "no image at all",
                f"a path for at least one of {', '.join(MODALITIES)}",
                "remove the row, or name its images",
            )
        name = row.values.get("name") or next(iter(written.values())).replace("\\", "/")
        camid = row.number("camid") if with_cameras else 0
        scene = row.number("scene") if row.values.get("scene") else None
        return Sample(name, row.number("pid"), camid, scene, paths)

    @staticmethod
    def _splits(row: Row) -> tuple[Split, ...]:
        word = row.values.get("split", "test")
        if word not in _SPLITS:
            raise row.wrong(
                f"the split {word!r}", f"one of {', '.join(_SPLITS)}", "mend the row's split"
            )
        return _SPLITS[word]

    def _found_ranges(self, rows: list[Row]) -> dict[Modality, Range]:
        """The range of each modality: one for the set, wherever it is written."""
        found: dict[Modality, tuple[Range, str]] = {}
        for row in rows:
            for column, modality in RANGES.items():
                if not row.values.get(column):
                    continue
                try:
                    here = row.range(column)
                    known, place = found.setdefault(modality, (here, row.place))
                    if here != known:
                        raise row.wrong(
                            f"{column} is {row.values[column]}, at {place} it is another",
                            "one range for all files of a modality",
                            "write it once, or the same in each row",
                        )
                except DataError as error:
                    error.seen = f"{self.path.name}, {error.seen}"
                    self.problems.append(error)
        return {modality: span for modality, (span, _) in found.items()}

    def _common_folder(self) -> Path:
        samples = [s for found in self._samples.values() for s in found.values()]
        folders = {str(p.parent) for s in samples for p in s.paths.values()}
        return Path(os.path.commonpath([str(self.path.parent), *folders]))

    def _described(self, card: Card, rows: list[Row]) -> Card:
        """The card with what the manifest decides: modalities, shared folder, filter."""
        samples = [s for found in self._samples.values() for s in found.values()]
        scenes = bool(samples) and all(s.scene is not None for s in samples)
        rule: Filter
        if any(row.values.get("camid") for row in rows):
            rule, note = "same_pid_same_cam", "the manifest has cameras"
        elif scenes:
            rule, note = "same_pid_same_scene", "the manifest has scenes and no cameras"
        else:
            rule, note = "none", "the manifest has no cameras: nothing is removed from the gallery"
            self._refuse_self_matches()
        return card.model_copy(
            update={
                "modalities": in_order(m for s in samples for m in s.paths) or MODALITIES,
                "folders": self._folders(),
                "ranges": self._ranges,
                "filter": rule,
                "notes": (f"{note} (filter {rule})", *card.notes),
            }
        )

    def _folders(self) -> dict[Split, str]:
        shared = self._samples["query"] == self._samples["gallery"]
        test = dict.fromkeys(_SPLITS["test"], "test") if shared else {}
        return {"train": "train", "query": "query", "gallery": "gallery", **test}

    def _refuse_self_matches(self) -> None:
        searched = {p for s in self._samples["gallery"].values() for p in s.paths.values()}
        both = [s for s in self._samples["query"].values() if searched & set(s.paths.values())]
        if both:
            self.problems.append(
                DataError(
                    seen=f"{len(both)} samples of {self.path.name} are query and gallery, such as "
                    f"{both[0].name}, and no camera keeps a query from finding itself",
                    expected="a camid (or a scene) in each row, or other images to ask than to "
                    "search",
                    do="add the column camid, or give each row the split query or gallery",
                )
            )
