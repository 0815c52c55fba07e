"""The linter's rules on what a query can find: its matches, its cameras, and itself."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from harness.data.duplicates import Contents
from harness.data.finding import Finding, few
from harness.scoring.labels import Labels, MatchCounts, match_counts
from harness.spec.dataset import Sample
from harness.spec.protocol import BoundProtocol

_COMPARED = {
    "same_pid_same_cam": "camera",
    "same_pid_same_view": "view",
    "same_pid_same_scene": "scene",
    "same_cam": "camera",
}

Samples = Sequence[Sample]


def labels_of(samples: Samples) -> Labels:
    """The labels of samples as arrays; scenes only when every sample has one."""
    scenes = [s.scene for s in samples]
    known = [s for s in scenes if s is not None]
    return Labels(
        np.array([s.pid for s in samples], dtype=np.int64),
        np.array([s.camid for s in samples], dtype=np.int64),
        np.array(known, dtype=np.int64) if len(known) == len(samples) else None,
    )


def match_findings(
    train: Samples, query: Samples, gallery: Samples, protocol: BoundProtocol
) -> list[Finding]:
    """Queries without a match, and cameras (views, scenes) that cannot be what they seem."""
    compared = _COMPARED.get(protocol.filter)
    if compared == "scene":
        bare = [s for s in (*query, *gallery) if s.scene is None]
        if bare:
            return [_without_scene(bare, len(query) + len(gallery))]
    counts = match_counts(labels_of(query), labels_of(gallery), protocol.filter)
    findings = _unmatched(query, counts, protocol)
    if compared is not None:
        findings += _disjoint(query, gallery, compared, protocol)
        findings += _coinciding(train, query, gallery, counts, compared)
    return findings


def self_findings(
    query: Samples, gallery: Samples, protocol: BoundProtocol, contents: Contents
) -> list[Finding]:
    """Queries whose very picture stays in the gallery, by path and, where known, by content."""
    compared = _COMPARED.get(protocol.filter)
    both = [m for m in protocol.query_modalities if m in protocol.gallery_modalities]
    listed: dict[tuple[str, Path | str], list[Sample]] = defaultdict(list)
    for sample in gallery:
        for modality in both:
            if modality in sample.paths:
                listed[modality, _mark(sample.paths[modality], contents)].append(sample)
    kept: list[tuple[Sample, Sample]] = []
    for sample in query:
        marks = [(m, _mark(sample.paths[m], contents)) for m in both if m in sample.paths]
        same = (other for mark in marks for other in listed.get(mark, ()))
        own = (o for o in same if o.pid == sample.pid and _stays(sample, o, compared))
        found = next(own, None)
        if found is not None:
            kept.append((sample, found))
    return [_finds_itself(kept, len(query), compared)] if kept else []


def _mark(path: Path, contents: Contents) -> Path | str:
    content = contents.get(path)
    return path if content is None else content.digest


def _stays(query: Sample, gallery: Sample, compared: str | None) -> bool:
    return compared is None or _key(query, compared) != _key(gallery, compared)


def _key(sample: Sample, compared: str) -> int | None:
    return sample.scene if compared == "scene" else sample.camid


def _finds_itself(kept: list[tuple[Sample, Sample]], queries: int, compared: str | None) -> Finding:
    query, found = kept[0]
    how = (
        "the filter is none"
        if compared is None
        else f"the {compared} is {_key(query, compared)} in query and {_key(found, compared)} in "
        "gallery"
    )
    return Finding(
        "query-finds-itself",
        # One picture under two cameras is a mistake; a set without cameras may know no better.
        "warning" if compared is None else "error",
        f"{len(kept)} of {queries} queries find their own picture in the gallery, such as "
        f"{query.name} ({how})",
        "no query in its own gallery once the filter is applied",
        "give the samples their cameras, or keep query and gallery apart; Rank-1 means nothing here"
        if compared is None
        else f"give one picture one {compared}: number query and gallery with one table",
    )


def _without_scene(bare: Samples, total: int) -> Finding:
    return Finding(
        "filter-without-scenes",
        "error",
        f"the filter compares scenes and {len(bare)} of {total} query and gallery samples have "
        f"none, such as {bare[0].name}",
        "a scene for every sample",
        "give every sample its scene, or use a protocol whose filter compares cameras",
    )


def _unmatched(query: Samples, counts: MatchCounts, protocol: BoundProtocol) -> list[Finding]:
    lost = np.flatnonzero(counts.positives == 0)
    if lost.size == 0:
        return []
    absent = int((counts.same_pid[lost] == 0).sum())
    causes = f"{absent} have no image of their identity in the gallery, the filter "
    causes += f"{protocol.filter} removes every match of {lost.size - absent}"
    first = query[int(lost[0])]
    by_pid = Counter(query[int(i)].pid for i in lost)
    every = lost.size == len(query)
    return [
        Finding(
            "no-query-has-a-match" if every else "queries-without-a-match",
            "error" if every else "warning",
            f"{lost.size} of {len(query)} queries have no match: {causes}; identities "
            f"{few(sorted(by_pid))}, such as {first.name} "
            f"(pid {first.pid}, camid {first.camid})",
            "for each query an image of its identity that the filter keeps "
            f"({protocol.filter}: for RGBNT sets one seen by another camera)",
            "check the camera ids, or use a protocol with another filter; nothing can be scored "
            "like this"
            if every
            else "check the camera ids; if they are right, such queries are counted and reported "
            "but not part of mAP",
        )
    ]


def _disjoint(
    query: Samples, gallery: Samples, compared: str, protocol: BoundProtocol
) -> list[Finding]:
    asked = sorted({k for s in query if (k := _key(s, compared)) is not None})
    searched = sorted({k for s in gallery if (k := _key(s, compared)) is not None})
    if not asked or not searched or set(asked) & set(searched):
        return []
    return [
        Finding(
            f"no-shared-{compared}",
            "warning",
            f"the filter {protocol.filter} removes nothing: query has the {compared}s "
            f"{few(asked)}, gallery {few(searched)}",
            f"{compared}s that query and gallery share, numbered by one table",
            f"if each side was numbered on its own, number both alike; if queries truly come from "
            f"other {compared}s, nothing must be done",
        )
    ]


def _coinciding(
    train: Samples, query: Samples, gallery: Samples, counts: MatchCounts, compared: str
) -> list[Finding]:
    """Every match lost to the filter, in a set whose train split shows that it need not be so."""
    there = counts.same_pid > 0
    if not there.any() or counts.positives[there].any():
        return []
    seen: dict[int, set[int | None]] = defaultdict(set)
    for sample in train:
        seen[sample.pid].add(_key(sample, compared))
    several = sum(len(keys) > 1 for keys in seen.values())
    if not several:
        return []
    here = sorted({k for s in (*query, *gallery) if (k := _key(s, compared)) is not None})
    return [
        Finding(
            f"{compared}s-coincide",
            "warning",
            f"in query and gallery every identity has one {compared} only ({compared}s "
            f"{few(here)}), while {several} of {len(seen)} train identities have several",
            f"test identities seen by several {compared}s, as in train",
            f"look for {compared} numbers that were lost or made equal on the way: compare the "
            "file names with the published grammar",
        )
    ]
