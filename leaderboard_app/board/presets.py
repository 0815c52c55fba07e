"""Rows that visitors ask for most, as chips above the table."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from harness.board import BoardRow, is_clean, is_second_hand

_TRANSFORMERS = re.compile(r"\b(t2t-)?(vit|deit|clip|dino|swin|eva)", re.IGNORECASE)


class Preset(NamedTuple):
    """One chip."""

    words: str
    keeps: Callable[[BoardRow], bool]


def _is_transformer(row: BoardRow) -> bool:
    return bool(_TRANSFORMERS.search(f"{row.backbone} {row.pretraining}"))


PRESETS: dict[str, Preset] = {
    "clean": Preset("Clean", is_clean),
    "first-hand": Preset("First-hand", lambda row: not is_second_hand(row)),
    "resnet": Preset("ResNet", lambda row: "resnet" in row.backbone.lower()),
    "vit": Preset("ViT/CLIP", _is_transformer),
    "runs": Preset("Runs", lambda row: row.kind == "run"),
}
"""By the name in the address."""
HELP = (
    "Clean: no epoch picked on the test set, no camera, text or mask of test images, no training "
    "on them, as far as is known. First-hand: its own authors' numbers, and runs here. Several "
    "chips narrow each other."
)
