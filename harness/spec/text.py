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
    found = [START, *prompt, *ids][: CONTEXT - 1] + [END]
    return found + [0] * (CONTEXT - len(found))


def is_cut(ids: Sequence[int], prompt: Sequence[int] = ()) -> bool:
    """Whether `framed` leaves some of a text out."""
    return len(prompt) + len(ids) > CONTEXT - 2
