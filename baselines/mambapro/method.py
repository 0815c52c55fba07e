"""MambaPro as the harness calls it: build, loss, embed."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from baselines.mambapro.config import MambaProConfig
from baselines.mambapro.kernel import chosen
from baselines.mambapro.model import MambaProNet
from baselines.mambapro.official import OFFICIAL
from baselines.shared.clip_heads import Supervised, supervision_losses
from baselines.shared.cross import unwrapped
from harness.spec.method import Batch, DataInfo
from harness.spec.modality import Modality


class MambaPro:
    """The plugin named by `baselines.mambapro.info.INFO.target`."""

    def build(self, config: MambaProConfig, data: DataInfo) -> MambaProNet:
        """A new network; its encoder starts from `data.pretrained`."""
        return MambaProNet(config, data)

    def loss(self, model: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """`id_fuse` and `triplet_fuse`, and the same of the class tokens: `ori`, or each one's.

        Args:
            model: A `MambaProNet` in train mode, or a wrapper of one.
            batch: Images by modality, labels and cameras.
        """
        seen: dict[str, Supervised] = model(batch.images, batch.camids)
        return supervision_losses(seen, batch.pids, unwrapped(model, MambaProNet).config)

    def embed(self, model: nn.Module, batch: Batch) -> Tensor:
        """The (n, d * modalities) descriptors; 1536 as published.

        An absent modality is zero after normalisation, and goes through the encoder with its
        camera's vector; the authors' code has no such test.
        """
        descriptors: Tensor = model(batch.images, batch.camids)
        return descriptors

    def lr_scales(self, model: nn.Module) -> list[tuple[float, list[nn.Parameter]]]:
        """The encoder's part of the rate, where it is trained."""
        net = unwrapped(model, MambaProNet)
        return [(net.config.encoder_rate, list(net.backbone.encoder.parameters()))]

    def modality_columns(self, model: nn.Module) -> dict[Modality, tuple[int, int]]:
        """The columns of the class tokens, which see one modality alone; AAM mixes them."""
        net = unwrapped(model, MambaProNet)
        if net.config.mamba:
            return {}
        return {m: (i * net.width, (i + 1) * net.width) for i, m in enumerate(net.modalities)}

    def notes(self, config: MambaProConfig, device: torch.device) -> dict[str, str]:
        """Which selective scan was used, for the record."""
        if not config.mamba:
            return {}
        if config.scan == "plain":
            return {"selective_scan": "plain: config.scan says so"}
        return {"selective_scan": chosen(device).words}

    def import_state(self, state: dict[str, Any]) -> dict[str, Any]:
        """A state dict in our names: the authors' is translated, ours returned as it is.

        Raises:
            CheckpointError: It is neither.
        """
        return OFFICIAL.ours(state)
