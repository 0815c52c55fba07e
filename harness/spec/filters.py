"""The rules by which gallery entries are removed; see `harness.scoring.labels.removed`."""

from __future__ import annotations

from typing import Literal

Filter = Literal[
    "same_pid_same_cam", "same_pid_same_scene", "same_pid_same_view", "same_cam", "none"
]
