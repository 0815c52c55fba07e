"""HA-CNN in streams as the harness calls it."""

from __future__ import annotations

from baselines.hacnn.config import HACNNConfig
from baselines.hacnn.network import HACNN, TABLE
from baselines.shared.public_weights import PublicNames
from baselines.shared.streams import StreamMethod
from harness.spec.method import DataInfo


class HACNNStreams(StreamMethod):
    """The plugin named by `baselines.hacnn.info.INFO.target`."""

    def network(self, config: HACNNConfig, data: DataInfo) -> HACNN:
        """A new HA-CNN."""
        return HACNN(config.align_corners)

    def names(self, config: HACNNConfig) -> PublicNames:
        """Always `hacnn`; it is trained from scratch, so there are no ImageNet weights."""
        return PublicNames("hacnn", TABLE, imagenet=False)
