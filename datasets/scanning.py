"""What the readers of all layouts share: listing a folder, reading a name, saying what is wrong."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from harness.base.errors import FileNameError, IncompleteTripletError, LayoutError
from harness.spec.dataset import Card, Sample
from harness.spec.modality import Modality

# What extractors, file browsers and file servers leave behind; never part of a data set. NFS,
# Samba, AFS and FUSE keep a file under such a name when it is removed while somebody has it open.
_IGNORED = re.compile(
    r"^(\._.*|\.DS_Store|Thumbs\.db|desktop\.ini|\.directory|\.picasa\.ini"
    r"|\.nfs[0-9a-f]+|\.smbdelete.*|\.__afs.*|\.fuse_hidden.*)$",
    re.IGNORECASE,
)


def entries(folder: Path, card: Card) -> list[Path] | LayoutError:
    """What a folder holds, sorted, but for file browsers' leftovers; an error if nothing."""
    if not folder.is_dir():
        return no_folder(folder, card)
    found = [
        p for p in sorted(folder.iterdir(), key=lambda p: p.name) if not _IGNORED.match(p.name)
    ]
    if not found:
        return LayoutError(
            seen=f"the folder {folder} is empty",
            expected=f"images named {card.grammar_words}",
            do="unpack the archive again; this folder was left without files",
        )
    return found


def sample_of(
    name: str, paths: Mapping[Modality, Path], card: Card, strip: tuple[Modality, ...] = ()
) -> Sample | FileNameError:
    """The sample that a file name describes.

    The card's grammar has the named groups `pid`; `cam` (1-based; camid is cam - 1) or `view`
    (kept as it is, in the camera's place); and, where the set has scenes, `scene`.
    """
    match = re.match(card.grammar, name)
    if match is None:
        return bad_name(next(iter(paths.values())), card)
    parts = match.groupdict()
    camid = int(parts["view"]) if "view" in parts else int(parts["cam"]) - 1
    if camid < 0:
        return bad_name(next(iter(paths.values())), card)
    scene = int(parts["scene"]) if parts.get("scene") is not None else None
    return Sample(name, int(parts["pid"]), camid, scene, paths, strip)


def no_folder(folder: Path, card: Card) -> LayoutError:
    """A folder of the published layout that is not there, with what is there instead."""
    inside = sorted(p.name for p in folder.parent.iterdir()) if folder.parent.is_dir() else []
    return LayoutError(
        seen=f"there is no folder {folder}; beside it are: {', '.join(inside[:8]) or 'none'}",
        expected=f"{card.title} as published:\n{card.tree.rstrip()}",
        do=f"unpack or link the folder {folder.name}, or name the right root; see: "
        f"harness show dataset {card.name}",
    )


def bad_name(path: Path, card: Card) -> FileNameError:
    """A file name outside the card's grammar."""
    return FileNameError(
        seen=f"the file name {path.name} in {path.parent}",
        expected=f"{card.grammar_words} ({card.grammar})",
        do=f"rename or move the file away: {path}",
    )


def incomplete(
    name: str, paths: Mapping[Modality, Path], lacking: Mapping[Modality, Path]
) -> IncompleteTripletError:
    """A sample without the image of a modality; `lacking` says where each should be."""
    return IncompleteTripletError(
        seen=f"{name} has {'+'.join(paths)} but no {' and no '.join(lacking)}",
        expected=f"a file {', '.join(map(str, lacking.values()))}",
        do="restore the file from the archive, or remove the sample's other images",
    )


def passed_over(names: list[str]) -> tuple[str, ...]:
    """The note about samples that the published set itself lacks an image of."""
    if not names:
        return ()
    return (
        f"passed over {len(names)} samples that the published set has no whole triplet of: "
        + ", ".join(names),
    )
