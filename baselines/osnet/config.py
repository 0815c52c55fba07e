"""The options of OSNet; imports no torch."""

from __future__ import annotations

from pydantic import field_validator

from baselines.shared.stream_config import StreamConfig

WIDTHS = (1.0, 0.75, 0.5, 0.25)
"""The widths the authors published, so that public weights exist for each."""


class OSNetConfig(StreamConfig):
    """The recipe's `[config]`.

    Attributes:
        width: Multiplies the channels of every layer before the last embedding.
    """

    width: float = 1.0

    @field_validator("width")
    @classmethod
    def _published(cls, width: float) -> float:
        if width not in WIDTHS:
            raise ValueError(f"the published widths are {', '.join(map(str, WIDTHS))}")
        return width
