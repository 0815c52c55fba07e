"""A data set at a place on this disk: its samples, its hashes and what it is called."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import compress
from pathlib import Path
from typing import Any

from harness.base.errors import DataError
from harness.base.hashing import digest
from harness.base.numbers import LARGEST
from harness.data.captions import FILES, Captions, find_captions, read_captions
from harness.data.contents import Content, read_contents
from harness.data.forms import rules
from harness.data.hashes import file_list_hash, hash_of
from harness.spec.dataset import SPLITS, Card, Dataset, Range, Sample, Scan, Split
from harness.spec.text import CAPTIONS


@dataclass(frozen=True)
class OpenDataset:
    """A data set at a place on this disk."""

    card: Card
    root: Path
    loader: Dataset
    reread: bool = False
    """Believe no memory of what a file holds: what is verified is what is on the disk now."""
    captioned: bool = False
    """What is said of the images is part of the data: the view of a method that is given text."""

    @cached_property
    def scans(self) -> dict[Split, Scan]:
        """Every split's samples and problems; a folder two splits share is read once."""
        first = {f: s for s, f in reversed(self.card.folders.items())}
        by_folder = {folder: self._scan(split) for folder, split in first.items()}
        return {split: by_folder[self.card.folders[split]] for split in SPLITS}

    def samples(self, split: Split) -> tuple[Sample, ...]:
        """The samples of a split, sorted by name.

        Raises:
            DataError: The first thing found wrong with the split, and how many more there are.
        """
        scan = self.scans[split]
        raise_first(scan.problems)
        return scan.samples

    @cached_property
    def file_list_hash(self) -> str:
        """The hash a card compares with: what is there, by name, in the splits with a list."""
        return file_list_hash(
            f"{self.card.folders[split]}/{sample.name}"
            for split in self.card.listed_splits
            for sample in self.scans[split].samples
        )

    def _scan(self, split: Split) -> Scan:
        scan = _numbered(self.loader.scan(split))
        ranges = self.card.ranges
        if not ranges:
            return scan
        return scan._replace(samples=tuple(s._replace(ranges=ranges) for s in scan.samples))

    @cached_property
    def _contents(self) -> dict[Path, Content | None]:
        samples = [s for scan in self.scans.values() for s in scan.samples]
        images = (p for s in samples for p in s.paths.values())
        files = [*images, *self.loader.described_by]
        return read_contents(self.root, files, reread=self.reread)

    @cached_property
    def spans(self) -> dict[Path, Range]:
        """The range of each file whose modality has one."""
        if not self.card.ranges:
            return {}
        samples = [s for scan in self.scans.values() for s in scan.samples]
        return {p: r for s in samples for m, p in s.paths.items() if (r := s.ranges.get(m))}

    @cached_property
    def pictures_hash(self) -> str:
        """The hash of the images: what is there, byte by byte, and how it is read."""
        return hash_of(self.root, self._contents, self.spans)

    @property
    def data_hash(self) -> str:
        """The hash a record carries: of the images, and of the captions where they are seen."""
        if not self.captioned:
            return self.pictures_hash
        return digest([self.pictures_hash, self.said.hash])

    @cached_property
    def captions(self) -> Captions | None:
        """What is said of the images, by a file beside them or by the loader; often nothing.

        Raises:
            DataError: The file is damaged.
        """
        made = getattr(self.loader, "captions", None)
        if made is not None:
            return Captions(made(), "made with the images")
        file = find_captions(self.root)
        return None if file is None else read_captions(file)

    @property
    def said(self) -> Captions:
        """The captions, of a view that has them."""
        assert self.captions is not None
        return self.captions

    def with_captions(self) -> OpenDataset:
        """The same data as a method sees it that is given text.

        Raises:
            DataError: There are no captions, or their file is damaged.
        """
        if self.captions is None:
            raise DataError(
                seen=f"{self.root} has no captions, which a method given text learns from",
                expected=f"{' or '.join(FILES)} in it, with image, modality and text",
                do="attach them: harness data captions FOLDER --from FILE_OR_FOLDER",
            )
        view = replace(self, captioned=True)
        # Nothing that was found out of the images is another now.
        vars(view).update({k: v for k, v in vars(self).items() if k not in vars(view)})
        return view

    @cached_property
    def pixels(self) -> tuple[str, ...]:
        """How files that are not plain 8 bits are read, a line for each modality and kind."""
        samples = [s for scan in self.scans.values() for s in scan.samples]
        files = {(m, p): s.ranges.get(m) for s in samples for m, p in s.paths.items()}
        return rules(
            (m, content.form, span)
            for (m, path), span in files.items()
            if (content := self._contents.get(path)) is not None
        )

    @cached_property
    def made_like(self) -> str | None:
        """What a drawn folder imitates, read off its maker's mark; None for a real set."""
        mark = self._mark("SYNTHETIC.json")
        return None if mark is None else str(mark.get("name", "unknown"))

    @cached_property
    def made_from(self) -> dict[str, Any] | None:
        """How a set was reconstructed from another, by its mark; None for one as released."""
        return self._mark("RECONSTRUCTED.json")

    def _mark(self, name: str) -> dict[str, Any] | None:
        # A loader may work in a folder inside the one that was made.
        for folder in (self.root, self.root.parent):
            try:
                mark = json.loads((folder / name).read_text(encoding="utf-8"))
            except (OSError, ValueError):
                continue
            return mark if isinstance(mark, dict) else {}
        return None

    @property
    def is_published(self) -> bool:
        """Whether this is the very list of files the card describes, and not drawn."""
        made = self.made_like is not None or self.made_from is not None
        return self.file_list_hash == self.card.file_list_hash and not made

    @property
    def label(self) -> str:
        """The name in tables and recipes: all but the very published list carry their hash.

        Where no list is published, nothing can be called a variant of it. Captions bring theirs.
        """
        return self._label_of_pictures + (
            f"{CAPTIONS}{self.said.hash[:8]}" if self.captioned else ""
        )

    @property
    def _label_of_pictures(self) -> str:
        if self.card.embedded or self.is_published:
            return self.card.name
        kind = "" if self.card.file_list_hash is None else "-variant"
        if self.made_from is not None:
            kind = "-reconstructed"
        if self.made_like is not None:
            kind = "-synthetic"
        return f"{self.card.name}{kind}@{self.pictures_hash[:8]}"


def _numbered(scan: Scan) -> Scan:
    """A loader's samples, without those whose numbers no array could hold, which are problems."""
    fits = [all(abs(n or 0) <= LARGEST for n in (s.pid, s.camid, s.scene)) for s in scan.samples]
    if all(fits):
        return scan
    problems = [
        DataError(
            seen=f"{s.name} has pid {s.pid}, camid {s.camid} and scene {s.scene}",
            expected=f"whole numbers of at most {LARGEST}",
            do="number the identities, cameras and scenes from 0",
        )
        for s, fit in zip(scan.samples, fits, strict=True)
        if not fit
    ]
    whole = tuple(compress(scan.samples, fits))
    return scan._replace(samples=whole, problems=(*scan.problems, *problems))


def counts(samples: Iterable[Sample]) -> dict[str, int]:
    """Identities, samples and cameras of a split."""
    found = list(samples)
    return {
        "identities": len({s.pid for s in found}),
        "samples": len(found),
        "cameras": len({s.camid for s in found}),
    }


def raise_first(problems: tuple[DataError, ...]) -> None:
    """Raise the first problem, if any, saying how many more there are."""
    if not problems:
        return
    first = problems[0]
    if len(problems) > 1:
        first = type(first)(
            seen=f"{first.seen} (and {len(problems) - 1} more problems)",
            expected=first.expected,
            do=f"{first.do}; `harness data check FOLDER` lists them all",
        )
    raise first
