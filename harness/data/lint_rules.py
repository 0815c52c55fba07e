"""The linter's rules on identities, modalities and selection; each gives findings or none."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence

from harness.data.finding import Finding, few
from harness.spec.dataset import Sample
from harness.spec.modality import Modality
from harness.spec.protocol import BoundProtocol

# Whatever else a protocol may select by looks at test numbers.
_FAIR_SELECTION = ("last", "validation")


def leaks(
    train: Sequence[Sample],
    query: Sequence[Sample],
    gallery: Sequence[Sample],
    known: Collection[int] = (),
) -> list[Finding]:
    """Identities of train in test; a warning only when the card knows them all."""
    sides = {"query": {s.pid for s in query}, "gallery": {s.pid for s in gallery}}
    trained = {s.pid for s in train}
    shared = sorted(trained & set().union(*sides.values()))
    if not shared:
        return []
    fresh = [pid for pid in shared if pid not in known]
    told = fresh or shared
    example = next(s.name for s in train if s.pid == told[0])
    where = ", ".join(f"{len(trained & pids)} in {side}" for side, pids in sides.items())
    seen = f"{len(shared)} identities are in train and in test ({where}): {few(told)} "
    if not fresh:
        return [
            Finding(
                "known-identity-leak",
                "warning",
                f"{seen}({example} is in train); the card lists them as part of the published set",
                "test identities that training has never seen",
                "nothing, if the number is to stand beside published ones; say so beside it",
            )
        ]
    return [
        Finding(
            "identity-leak",
            "error",
            f"{seen}({example} is in train)",
            "test identities that training has never seen",
            "remove these identities from one of the two splits; a score on them would be memory",
        )
    ]


def absent_modalities(
    side: str, samples: Sequence[Sample], asked: Sequence[Modality]
) -> list[Finding]:
    """Modalities that the protocol asks of a side and that samples lack."""
    findings = []
    for modality in asked:
        lacking = [s for s in samples if modality not in s.paths]
        if not lacking:
            continue
        every = len(lacking) == len(samples)
        findings.append(
            Finding(
                "modality-in-no-sample" if every else "modality-in-some-samples",
                "error" if every else "warning",
                f"{len(lacking)} of {len(samples)} {side} samples have no {modality}, such as "
                f"{lacking[0].name}",
                f"{modality} on the {side} side, as the protocol says",
                f"use a protocol without {modality} there, or get the {modality} images"
                if every
                else "restore the files, or keep in mind that the method's policy for a missing "
                "modality is part of the number",
            )
        )
    empty = [s for s in samples if not set(asked) & set(s.paths)]
    if empty and not any(f.severity == "error" for f in findings):
        findings.append(
            Finding(
                "sample-without-modality",
                "error",
                f"{len(empty)} of {len(samples)} {side} samples have none of {'+'.join(asked)}, "
                f"such as {empty[0].name}",
                "at least one modality in each sample",
                "remove these samples from the set, or use a protocol with more modalities",
            )
        )
    return findings


def selection(protocol: BoundProtocol) -> list[Finding]:
    """A protocol that picks what it scores by test numbers."""
    if str(protocol.selection) in _FAIR_SELECTION:
        return []
    return [
        Finding(
            "selects-on-test",
            "warning",
            f"the protocol {protocol.name} selects by {protocol.selection!r}",
            f"a selection that looks at no test number: {' or '.join(_FAIR_SELECTION)}",
            "use it only beside papers that did the same; tables show the selection as a badge",
        )
    ]


def thin_identities(train: Sequence[Sample]) -> list[Finding]:
    """Train identities that teach little: one image, or one camera only."""
    images = Counter(s.pid for s in train)
    cameras: dict[int, set[int]] = defaultdict(set)
    for sample in train:
        cameras[sample.pid].add(sample.camid)
    single = sorted(p for p, n in images.items() if n == 1)
    alone = sorted(p for p, seen in cameras.items() if len(seen) == 1)
    findings = []
    if single:
        findings.append(
            Finding(
                "identity-with-one-image",
                "warning",
                f"{len(single)} train identities have one image: {few(single)}",
                "several images for each, so that a batch holds different views of one identity",
                "nothing must be done: the sampler repeats the image, and a loss over pairs "
                "learns little from it",
            )
        )
    if len(alone) > len(cameras) / 2:
        findings.append(
            Finding(
                "identities-of-one-camera",
                "note",
                f"{len(alone)} of {len(cameras)} train identities are seen by one camera only: "
                f"{few(alone)}",
                "identities seen by several cameras, which is what the test asks for",
                "nothing must be done; a validation split needs the others",
            )
        )
    return findings
