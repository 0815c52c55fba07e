"""The options of HA-CNN; imports no torch."""

from __future__ import annotations

from baselines.shared.stream_config import StreamConfig


class HACNNConfig(StreamConfig):
    """The recipe's `[config]`.

    Attributes:
        align_corners: How the regions are sampled. The public code leaves it to PyTorch, whose
            default was true until version 1.3, when the public checkpoints were trained, and is
            false since.
    """

    align_corners: bool = False
