"""DeMo as the harness calls it: build, loss, embed."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from baselines.demo.config import DeMoConfig
from baselines.demo.model import DeMoNet
from baselines.demo.official import OFFICIAL
from baselines.shared.clip_heads import Supervised, supervision_losses
from harness.spec.method import Batch, DataInfo
from harness.spec.modality import Modality


class DeMo:
    """The plugin named by `baselines.demo.info.INFO.target`."""

    def build(self, config: DeMoConfig, data: DataInfo) -> DeMoNet:
        """A new network; its encoder starts from `data.pretrained`."""
        return DeMoNet(config, data)

    def loss(self, model: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """`id_moe` and `triplet_moe`, and the same of the class tokens: `ori`, or each modality's.

        Args:
            model: A `DeMoNet` in train mode, or a wrapper of one.
            batch: Images by modality, labels and cameras.
        """
        seen: dict[str, Supervised] = model(batch.images, batch.camids)
        return supervision_losses(seen, batch.pids, _unwrap(model).config)

    def embed(self, model: nn.Module, batch: Batch) -> Tensor:
        """The (n, d * (modalities + sets)) descriptors; 5120 as published.

        An absent modality is zero after normalisation, and goes through the encoder with its
        camera's vector, as at the authors' test.
        """
        descriptors: Tensor = model(batch.images, batch.camids)
        return descriptors

    def lr_scales(self, model: nn.Module) -> list[tuple[float, list[nn.Parameter]]]:
        """The encoder's part of the rate."""
        net = _unwrap(model)
        return [(net.config.encoder_rate, list(net.backbone.encoder.parameters()))]

    def modality_columns(self, model: nn.Module) -> dict[Modality, tuple[int, int]]:
        """The columns of the class tokens, which see one modality alone."""
        net = _unwrap(model)
        return {m: (i * net.width, (i + 1) * net.width) for i, m in enumerate(net.modalities)}

    def import_state(self, state: dict[str, Any]) -> dict[str, Any]:
        """A state dict in our names: the authors' is translated, ours returned as it is.

        Raises:
            CheckpointError: It is neither.
        """
        return OFFICIAL.ours(state)


def _unwrap(model: nn.Module) -> DeMoNet:
    """The network inside the wrappers of distributed training and torch.compile."""
    for wrapped in ("module", "_orig_mod"):
        model = getattr(model, wrapped, model)
    assert isinstance(model, DeMoNet)
    return model
