"""The protocols that come with the harness."""

from __future__ import annotations

from harness.protocol import Protocol

FULL = Protocol(
    name="full",
    title="all three modalities on both sides (RGB+NI+TI)",
    used_by=("the main table of nearly every RGBNT paper, IEEE (AAAI 2022) Table 1 among them",),
)
