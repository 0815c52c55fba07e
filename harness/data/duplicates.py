"""Pictures that are there twice: the same bytes under two names, or as two modalities."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

from harness.data.contents import Content
from harness.data.finding import Finding, few
from harness.spec.dataset import Sample, Split

Contents = Mapping[Path, Content | None]


class Copies(NamedTuple):
    """Files of one modality that hold the same bytes, one for each picture of a split."""

    modality: str
    """Several joined by "+" where they lie side by side in one file."""
    files: tuple[Path, ...]
    pids: tuple[int, ...]
    """Of each file."""
    trained: tuple[bool, ...]
    """Of each file: in train, or in query or gallery."""


def find_copies(splits: Mapping[Split, Sequence[Sample]], contents: Contents) -> list[Copies]:
    """Every group of files with the same bytes under different names.

    A picture that query and gallery both list, under one name and identity, is one picture.
    """
    groups: dict[tuple[str, str], list[tuple[bool, Sample, Path]]] = {}
    seen: set[tuple[bool, Path, int]] = set()
    for split, samples in splits.items():
        for sample in samples:
            for path, modality in _files(sample):
                content, place = contents.get(path), (split == "train", path, sample.pid)
                if content is None or place in seen:
                    continue
                seen.add(place)
                row = (split == "train", sample, path)
                groups.setdefault((modality, content.digest), []).append(row)
    found = []
    for (modality, _), rows in groups.items():
        apart = {(trained, s.name, s.pid): (trained, s, p) for trained, s, p in reversed(rows)}
        if len(apart) > 1:
            ordered = sorted(apart.values(), key=lambda row: row[2])
            trained, owners, files = zip(*ordered, strict=True)
            found.append(Copies(modality, files, tuple(s.pid for s in owners), trained))
    return found


def copy_findings(copies: Sequence[Copies]) -> list[Finding]:
    """The groups as at most three findings, the gravest first."""
    other = [c for c in copies if len(set(c.pids)) > 1]
    leaked = [c for c in copies if len(set(c.pids)) == 1 and len(set(c.trained)) > 1]
    same = [c for c in copies if len(set(c.pids)) == 1 and len(set(c.trained)) == 1]
    findings = []
    if other:
        findings.append(
            Finding(
                "same-bytes-other-identity",
                "error",
                f"{_groups(other)} hold the same bytes under different identities, such as "
                f"{_example(other[0])}",
                "a picture of one identity",
                "look at them; keep the right one and remove the other sample from the set",
            )
        )
    if leaked:
        findings.append(
            Finding(
                "same-bytes-train-and-test",
                "warning",
                f"{_groups(leaked)} hold the same bytes in train and in test, such as "
                f"{_example(leaked[0])}",
                "test pictures that training has never seen",
                "remove them from one of the two splits; a score on them would be memory",
            )
        )
    if same:
        findings.append(
            Finding(
                "same-bytes",
                "warning",
                f"{_groups(same)} of one identity hold the same bytes under different names, such "
                f"as {_example(same[0])}",
                "every picture once",
                "remove the copies; kept in query and gallery they are matches that cost nothing",
            )
        )
    return findings


def modality_findings(samples: Sequence[Sample], contents: Contents) -> list[Finding]:
    """A finding for each two modalities that are copies of each other in some samples."""
    count: Counter[tuple[str, str]] = Counter()
    example: dict[tuple[str, str], str] = {}
    for sample in samples:
        for (path, one), (other_path, other) in combinations(_files(sample), 2):
            content, other_content = contents.get(path), contents.get(other_path)
            if content is None or other_content is None:
                continue
            if content.digest == other_content.digest:
                count[one, other] += 1
                example.setdefault((one, other), f"{path} and {other_path}")
    return [
        Finding(
            "same-bytes-two-modalities",
            "warning",
            f"{one} and {other} are the same bytes in {n} of {len(samples)} samples, such as "
            f"{example[one, other]}",
            f"{other} as its own camera took it",
            f"restore {other} from the archive; a method gains nothing from a copy of {one}",
        )
        for (one, other), n in count.items()
    ]


def _files(sample: Sample) -> Iterator[tuple[Path, str]]:
    """Each file of a sample once, with the modalities in it."""
    inside: dict[Path, list[str]] = {}
    for modality, path in sample.paths.items():
        inside.setdefault(path, []).append(modality)
    return ((path, "+".join(modalities)) for path, modalities in inside.items())


def _groups(copies: Sequence[Copies]) -> str:
    count = Counter(c.modality for c in copies)
    groups = ", ".join(f"{n} of {modality}" for modality, n in count.items())
    noun = "group" if len(copies) == 1 else "groups"
    return f"{sum(len(c.files) for c in copies)} files in {len(copies)} {noun} ({groups})"


def _example(copies: Copies) -> str:
    owners = zip(copies.files, copies.pids, strict=True)
    return few([f"{path} (identity {pid})" for path, pid in owners], 3)
