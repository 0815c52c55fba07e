"""MFRNet as the harness calls it: build, loss, embed."""

from __future__ import annotations

from typing import Any, cast

from torch import Tensor, nn

from baselines.mfrnet.config import MFRNetConfig
from baselines.mfrnet.model import MFRNet
from baselines.mfrnet.official import ours
from baselines.mfrnet.routing import imbalance
from baselines.shared.clip_heads import Heads, class_features, supervision_losses
from baselines.shared.cross import unwrapped
from harness.spec.method import Batch, DataInfo
from harness.spec.modality import Modality


class MFRNetMethod:
    """The plugin named by `baselines.mfrnet.info.INFO.target`."""

    def build(self, config: MFRNetConfig, data: DataInfo) -> MFRNet:
        """A new network; its encoder starts from `data.pretrained`."""
        return MFRNet(config, data)

    def loss(self, model: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """`id_` and `triplet_` of the class tokens, `ori` or each modality's, and `balance`.

        Args:
            model: An `MFRNet` in train mode, or a wrapper of one.
            batch: Images by modality, labels and cameras.
        """
        net = unwrapped(model, MFRNet)
        config = net.config
        started = net.start(batch)
        ended = net.finish(model(started.tokens))
        heads = cast(Heads, model.heads)
        seen = heads(class_features(config, ended.globals))
        terms = supervision_losses(seen, batch.pids, config)
        # The authors add that of GEN once for each block of the encoder, before which it stands.
        often = {name: config.encoder.depth for name in started.routed}
        routed = started.routed | ended.routed
        parts = [often.get(k, 1) * imbalance(r, config.gate_noise) for k, r in routed.items()]
        if parts:
            terms["balance"] = config.balance_weight * sum(parts[1:], parts[0])
        return terms

    def embed(self, model: nn.Module, batch: Batch) -> Tensor:
        """The (n, d * modalities) descriptors; 1536 as published.

        The tokens of an absent modality are made of the others'. Without GEN an absent image is
        zero after normalisation, and goes through the encoder with its camera's vector.
        """
        return unwrapped(model, MFRNet).descriptors(batch)

    def lr_scales(self, model: nn.Module) -> list[tuple[float, list[nn.Parameter]]]:
        """The encoder's part of the rate; the experts, with their shifts, learn at the rate."""
        net = unwrapped(model, MFRNet)
        experts = [m for m in (net.generation, net.adapter) if m is not None]
        return [
            (net.config.encoder_rate, list(net.backbone.encoder.parameters())),
            (1.0, [p for m in experts for p in m.parameters()]),
        ]

    def modality_columns(self, model: nn.Module) -> dict[Modality, tuple[int, int]]:
        """The columns of the class tokens, where no modality is made of the others."""
        net = unwrapped(model, MFRNet)
        if net.generation is not None or net.config.capacity == "batch":
            return {}
        return {m: (i * net.width, (i + 1) * net.width) for i, m in enumerate(net.modalities)}

    def import_state(self, state: dict[str, Any]) -> dict[str, Any]:
        """A state dict in our names: the authors' is translated, ours returned as it is.

        Raises:
            CheckpointError: It is neither.
        """
        return ours(state)
