"""MLFN in streams as the harness calls it."""

from __future__ import annotations

from baselines.mlfn.network import MLFN, TABLE
from baselines.shared.public_weights import PublicNames
from baselines.shared.stream_config import StreamConfig
from baselines.shared.streams import StreamMethod
from harness.spec.method import DataInfo


class MLFNStreams(StreamMethod):
    """The plugin named by `baselines.mlfn.info.INFO.target`."""

    def network(self, config: StreamConfig, data: DataInfo) -> MLFN:
        """A new MLFN."""
        return MLFN()

    def names(self, config: StreamConfig) -> PublicNames:
        """Always `mlfn`."""
        return PublicNames("mlfn", TABLE)
