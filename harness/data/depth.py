"""What becomes of pictures of more than 8 bits, seen over a whole data set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from harness.data.contents import Content
from harness.data.finding import Finding
from harness.data.forms import depth_of, in_words, own_range
from harness.spec.dataset import Range, Sample
from harness.spec.modality import MODALITIES, Modality

# Of 256: with fewer, what tells two people apart is rounded away.
_FEW_LEVELS = 64


class _Deep(NamedTuple):
    """A deep file of one modality."""

    path: Path
    content: Content
    span: Range | None


def depth_findings(
    samples: Sequence[Sample], contents: Mapping[Path, Content | None]
) -> list[Finding]:
    """A finding for each modality that loses what its files hold, or whose files differ in depth.

    Args:
        samples: Of every split.
        contents: What their files hold, decoded.
    """
    return [finding for m in MODALITIES for finding in _of(m, samples, contents)]


def _of(
    modality: Modality, samples: Sequence[Sample], contents: Mapping[Path, Content | None]
) -> list[Finding]:
    files = {s.paths[modality]: s.ranges.get(modality) for s in samples if modality in s.paths}
    read = [(p, c, span) for p, span in files.items() if (c := contents.get(p)) and c.width > 0]
    deep = [_Deep(*row) for row in read if depth_of(row[1].form)]
    if not deep:
        return []
    found = [_mixed(modality, deep, len(read))] if len(deep) < len(read) else []
    lowest = min(d.content.lowest for d in deep)
    highest = max(d.content.highest for d in deep)
    held = f"{lowest:.6g}..{highest:.6g}"
    ends = deep[0].span or own_range(depth_of(deep[0].content.form))
    if ends is None or ends == "image":
        return found
    beyond = [d for d in deep if d.content.lowest < ends[0] or d.content.highest > ends[1]]
    if beyond:
        found.append(_clipped(modality, beyond, len(deep), held, ends))
    levels = 255 * (min(highest, ends[1]) - max(lowest, ends[0])) / (ends[1] - ends[0])
    if levels < _FEW_LEVELS:
        found.append(_few(modality, max(0, round(levels)) + 1, held, ends))
    return found


def _mixed(modality: Modality, deep: Sequence[_Deep], total: int) -> Finding:
    return Finding(
        "files-of-two-depths",
        "warning",
        f"{len(deep)} of {total} {modality} files have more than 8 bits, such as {deep[0].path}",
        f"{modality} files of one depth: one grey value would mean two things",
        "restore the others from the camera's own files, or convert all of them alike",
    )


def _clipped(
    modality: Modality, beyond: Sequence[_Deep], total: int, held: str, ends: tuple[float, float]
) -> Finding:
    return Finding(
        "values-beyond-the-range",
        "warning",
        f"{len(beyond)} of {total} {modality} files hold values beyond {in_words(ends)}, such as "
        f"{beyond[0].path}; all together they hold {held}",
        "a range with every value that matters; what is beyond becomes black or white",
        f"widen the range of {modality}, if those values are not dead pixels",
    )


def _few(modality: Modality, levels: int, held: str, ends: tuple[float, float]) -> Finding:
    return Finding(
        "few-grey-levels",
        "warning",
        f"{modality} files hold {held}, which {in_words(ends)} maps to {levels} of 256 grey levels",
        "a range about as wide as the values, one for the whole set",
        f"give {modality} a range such as {held}: a column {modality}_range in a manifest, or "
        "ranges in the card; docs/datasets.md",
    )
