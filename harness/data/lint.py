"""Findings about a data set under a protocol, before any training."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np

from harness.data.open import OpenDataset
from harness.dataset import Sample
from harness.errors import IdentityLeakError, UnmatchedQueryError
from harness.labels import Labels, match_counts
from harness.protocol import BoundProtocol


class Finding(NamedTuple):
    """One thing to know: an error ends a run before it starts, a warning is printed."""

    rule: str
    severity: Literal["error", "warning"]
    seen: str
    expected: str
    do: str


def labels_of(samples: tuple[Sample, ...]) -> Labels:
    """The labels of samples as arrays; scenes only when every sample has one."""
    scenes = [s.scene for s in samples]
    known = [s for s in scenes if s is not None]
    return Labels(
        np.array([s.pid for s in samples], dtype=np.int64),
        np.array([s.camid for s in samples], dtype=np.int64),
        np.array(known, dtype=np.int64) if len(known) == len(samples) else None,
    )


def lint(data: OpenDataset, protocol: BoundProtocol) -> list[Finding]:
    """Everything found; an empty list means nothing stands in the way.

    Raises:
        DataError: The data set itself is broken; see `harness data check`.
    """
    train = data.samples(protocol.train_split)
    query = data.samples(protocol.query_split)
    gallery = data.samples(protocol.gallery_split)
    return [
        *_leaks(train, query, gallery),
        *_unmatched(query, gallery, protocol),
        *_thin_identities(train),
    ]


def stop_on_errors(findings: Sequence[Finding]) -> None:
    """Raise the first finding that is an error."""
    kinds = {"identity-leak": IdentityLeakError, "no-query-has-a-match": UnmatchedQueryError}
    for finding in findings:
        if finding.severity == "error":
            raise kinds[finding.rule](finding.seen, finding.expected, finding.do)


def _leaks(
    train: tuple[Sample, ...], query: tuple[Sample, ...], gallery: tuple[Sample, ...]
) -> list[Finding]:
    tested = {s.pid for s in (*query, *gallery)}
    shared = sorted({s.pid for s in train} & tested)
    if not shared:
        return []
    example = next(s.name for s in train if s.pid == shared[0])
    return [
        Finding(
            "identity-leak",
            "error",
            f"{len(shared)} identities are in train and in test: {_few(shared)} "
            f"({example} is in train)",
            "test identities that training has never seen",
            "remove these identities from one of the two splits; a score on them would be memory",
        )
    ]


def _unmatched(
    query: tuple[Sample, ...], gallery: tuple[Sample, ...], protocol: BoundProtocol
) -> list[Finding]:
    asked, searched = labels_of(query), labels_of(gallery)
    counts = match_counts(asked, searched, protocol.filter)
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
            f"{_few(sorted(by_pid))}, such as {first.name} "
            f"(pid {first.pid}, camid {first.camid})",
            "for each query an image of its identity that the filter keeps "
            f"({protocol.filter}: for RGBNT sets one seen by another camera)",
            "check the camera ids; if they are right, such queries are counted and reported but "
            "not part of mAP"
            if not every
            else "check the camera ids, or use a protocol with "
            "another filter; nothing can be scored like this",
        )
    ]


def _thin_identities(train: tuple[Sample, ...]) -> list[Finding]:
    images = Counter(s.pid for s in train)
    single = sorted(p for p, n in images.items() if n == 1)
    if not single:
        return []
    return [
        Finding(
            "identity-with-one-image",
            "warning",
            f"{len(single)} train identities have one image: {_few(single)}",
            "several images for each, so that a batch holds different views of one identity",
            "nothing must be done: the sampler repeats the image, and a loss over pairs learns "
            "little from it",
        )
    ]


def _few(values: list[int], most: int = 6) -> str:
    shown = ", ".join(map(str, values[:most]))
    return shown if len(values) <= most else f"{shown} and {len(values) - most} more"
