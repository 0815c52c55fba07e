"""How a number was made: what its tags say in words, and which rows are clean of the test set."""

from __future__ import annotations

from harness.board.rows import BoardRow

SECOND_HAND, TEST_SELECTION = "second-hand", "test-selection"

UNCLEAN = frozenset(
    {TEST_SELECTION, "test-camera", "text-at-test", "masks-at-test", "transductive"}
)
"""Tags of numbers that were given something of the test set."""

_WORDS = {
    TEST_SELECTION: "best epoch picked on the test set",
    "test-camera": "the code is given the camera of each test image",
    "text-at-test": "captions of the test images are used",
    "masks-at-test": "masks of the test images are used",
    "transductive": "trained on the unlabelled test images",
    "re-ranking": "distances are re-ranked",
    "joint-training": "trained on several data sets at once",
    "zero-shot": "trained on other data sets only",
    SECOND_HAND: "not its own authors' number: copied, or run again by others",
}
_PRETRAINING = "pretraining:"
_LEARNT = {
    "imagenet": "ImageNet-1k",
    "imagenet21k": "ImageNet-21k",
    "clip": "CLIP's pairs of image and text",
    "dinov2": "DINOv2's images",
    "dinov3": "DINOv3's images",
    "none": "nothing: it starts from random weights",
    "file": "what the run's own weights file holds",
}


def is_clean(row: BoardRow) -> bool:
    """Whether nothing that is said of a row gives it something of the test set.

    Only what is known is tagged: that a row is clean means that nobody has said otherwise.
    """
    return row.selection != "test" and not UNCLEAN & set(row.tags)


def is_second_hand(row: BoardRow) -> bool:
    """Whether a number is not its own authors'."""
    return SECOND_HAND in row.tags


def tag_words(tag: str) -> str:
    """What a tag says, in words; a tag that has none as it is."""
    if tag.startswith(_PRETRAINING):
        learnt = tag.removeprefix(_PRETRAINING)
        return f"pretrained on {_LEARNT.get(learnt, learnt)}"
    return _WORDS.get(tag, tag)
