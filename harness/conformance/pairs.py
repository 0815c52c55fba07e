"""Whether a method's `pair`, if it has one, gives what can be compared."""

from __future__ import annotations

from harness.base.errors import FeaturesError
from harness.conformance.subject import Subject
from harness.runs.pairing import asked, pairs

_CLOSE = 1e-4


def mismatched_pairs(subject: Subject) -> None:
    """Sides of different modalities get descriptors of one length, each from its own row.

    Asked for a side with every modality and one with the last alone, both ways, and for two sides
    that have none in common.
    """
    every, last = subject.modalities, subject.modalities[-1:]
    if subject.info.missing == "none" or len(every) < 2:
        return
    model = subject.trained().model.eval()
    for sides in ((every, last), (last, every), (every[:-1], last)):
        if not pairs(subject.method, *sides):
            return
        query, gallery = (subject.embed(subject.shown(side)) for side in sides)
        try:
            found = asked(subject.method, model, (query, gallery), sides)
            alone = asked(subject.method, model, (query[1:], gallery[:1]), sides)
        except FeaturesError as error:
            raise subject.broken(error.seen, error.expected, error.do) from error
        for one, whole in zip(alone, (found[0][1:], found[1][:1]), strict=True):
            far = float((one - whole).abs().max() / whole.abs().max().clamp(min=1e-12))
            if far > _CLOSE:
                raise subject.broken(
                    f"pair() gives other descriptors (by {far:.1e}, relative) under "
                    f"{'>'.join('+'.join(side) for side in sides)} when it sees fewer rows",
                    "rows that each depend on their own row only",
                    "leave the other rows, and those of the other side, out of it",
                )
