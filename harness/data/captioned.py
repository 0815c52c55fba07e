"""How far the captions of a data set reach: what has none, an empty one, or is not there."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from harness.base.errors import DataError
from harness.data.opened import OpenDataset
from harness.data.tokens import encoded, has_tokenizer, require_tokenizer
from harness.spec.dataset import SPLITS
from harness.spec.method import MethodInfo
from harness.spec.modality import Modality
from harness.spec.text import is_cut


class Coverage(NamedTuple):
    """Captions held against the images of a data set; counts by modality are over all splits."""

    source: str
    hash: str
    images: dict[Modality, int]
    captioned: dict[Modality, int]
    """Images with words about them."""
    missing: dict[Modality, int]
    """Images that are not in the file at all."""
    empty: dict[Modality, int]
    """Images that it says nothing of."""
    unknown: int
    """Captions of images that are not there."""
    cut: dict[Modality, int] | None
    """Of the captions those too long for 77 ids, with nothing before them; None where the
    tokenizer is not installed."""

    def in_words(self) -> list[str]:
        """A line for the whole, and one for each thing to know."""
        total = sum(self.images.values())
        found = [f"{self.source}: captions of {sum(self.captioned.values())} of {total} images"]
        for words, counts in (
            ("images have none", self.missing),
            ("images have an empty one", self.empty),
            ("are too long for 77 ids and are cut", self.cut or {}),
        ):
            if sum(counts.values()):
                each = ", ".join(f"{m} {n}" for m, n in counts.items() if n)
                found.append(f"{sum(counts.values())} {words} ({each})")
        if self.unknown:
            found.append(f"{self.unknown} are of images that are not there, and not used")
        if self.cut is None:
            found.append("how many are too long is not known without the extra `text`")
        return found


def coverage(data: OpenDataset) -> Coverage | None:
    """What the captions of a data set come to; None where it has no captions.

    Raises:
        DataError: The file of captions is damaged.
    """
    captions = data.captions
    if captions is None:
        return None
    samples = {s.name: s for split in SPLITS for s in data.scans[split].samples}
    there = {(name, m) for name, s in samples.items() for m in s.paths}
    counts: dict[str, Counter[Modality]] = {
        word: Counter() for word in ("images", "captioned", "missing", "empty", "cut")
    }
    ids = encoded(captions.texts.values()) if has_tokenizer() else {}
    for key in there:
        text, modality = captions.texts.get(key), key[1]
        counts["images"][modality] += 1
        kind = "missing" if text is None else "captioned" if text else "empty"
        counts[kind][modality] += 1
        counts["cut"][modality] += bool(text) and is_cut(ids.get(text or "", ()))
    tables = {word: {m: count[m] for m in data.card.modalities} for word, count in counts.items()}
    cut = tables.pop("cut") if ids else None
    return Coverage(
        source=captions.source,
        hash=captions.hash,
        unknown=sum(key not in there for key in captions.texts),
        cut=cut,
        **tables,
    )


def as_shown_to(info: MethodInfo, data: OpenDataset) -> OpenDataset:
    """The data as a method sees it: with captions, if it is given some.

    Raises:
        DataError: There are none, the file is damaged, or it is about other images.
        HarnessError: The tokenizer is not installed.
    """
    if not info.is_told_text:
        return data
    view = data.with_captions()
    names = {s.name for split in SPLITS for s in data.scans[split].samples}
    if not any(text and name in names for (name, _), text in view.said.texts.items()):
        first = next(iter(view.said.texts), ("nothing",))[0]
        raise DataError(
            seen=f"{view.said.source} says nothing of any image in {data.root}; it is about "
            f"{first[:80]!r} and the like",
            expected=f"the names of these images, such as {min(names, default='')!r}",
            do="attach the captions of this data set: harness data captions FOLDER --from FILE",
        )
    require_tokenizer(f"the captions that {info.name} is given")
    return view
