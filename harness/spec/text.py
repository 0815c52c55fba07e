"""How a caption lies in a batch: the ids of CLIP's byte pairs, between two marks, 77 of them."""

from __future__ import annotations

from collections.abc import Sequence

CONTEXT = 77
"""Ids of a text, zeros behind it included; CLIP's text encoder has positions for so many."""
START = 49406
END = 49407
VOCABULARY = 49408


def framed(ids: Sequence[int], prompt: Sequence[int] = ()) -> list[int]:
    """The 77 ids of a text: start mark, what a method puts before it, its own, end mark, zeros.

    A longer text is cut, and the 77th id is the end mark, as CLIP's own tokenizer does it.

    Args:
        ids: Of the caption alone; none for an image without one.
        prompt: What the method puts in front.
    """
    kept = [START, *prompt, *ids][: CONTEXT - 1]
    return [*kept, END, *[0] * (CONTEXT - 1 - len(kept))]


def is_cut(ids: Sequence[int], prompt: Sequence[int] = ()) -> bool:
    """Whether `framed` leaves some of a text out."""
    return len(prompt) + len(ids) > CONTEXT - 2


CAPTIONS = "+captions@"
"""In the label of a data set, before the hash of the captions that a method was given."""


def without_captions(label: str) -> str:
    """The label of the pictures alone."""
    return label.partition(CAPTIONS)[0]


def captions_of(label: str) -> str:
    """The first digits of the captions' hash in a label; empty where there were none."""
    return label.partition(CAPTIONS)[2]


def relabelled(label: str, pictures: str) -> str:
    """The label with another one of the pictures; what it says of captions stays."""
    return pictures + label.removeprefix(without_captions(label))
