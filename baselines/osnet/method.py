"""OSNet in streams as the harness calls it."""

from __future__ import annotations

from baselines.osnet.config import OSNetConfig
from baselines.osnet.network import TABLE, OSNet
from baselines.shared.public_weights import PublicNames
from baselines.shared.streams import StreamMethod
from harness.spec.method import DataInfo


class OSNetStreams(StreamMethod):
    """The plugin named by `baselines.osnet.info.INFO.target`."""

    def network(self, config: OSNetConfig, data: DataInfo) -> OSNet:
        """A new OSNet of the config's width."""
        return OSNet(config.width)

    def names(self, config: OSNetConfig) -> PublicNames:
        """Such as `osnet_x0_25`."""
        width = str(config.width).replace(".", "_")
        return PublicNames(f"osnet_x{width}", TABLE)
