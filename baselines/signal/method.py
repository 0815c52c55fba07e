"""Signal as the harness calls it: build, loss, embed."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from baselines.shared.clip_heads import supervision_losses
from baselines.signal.alignment import patch_loss, volume_loss
from baselines.signal.config import SignalConfig
from baselines.signal.model import SignalNet, TrainOutput
from baselines.signal.official import OFFICIAL
from harness.spec.method import Batch, DataInfo
from harness.spec.modality import Modality


class Signal:
    """The plugin named by `baselines.signal.info.INFO.target`."""

    def build(self, config: SignalConfig, data: DataInfo) -> SignalNet:
        """A new network; its encoder starts from `data.pretrained`."""
        return SignalNet(config, data)

    def loss(self, model: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """`id_` and `triplet_` of the class tokens and of what SIM gives, `gam` and `lam`.

        Args:
            model: A `SignalNet` in train mode, or a wrapper of one.
            batch: Images by modality, labels and cameras.
        """
        net = _unwrap(model)
        out: TrainOutput = model(batch.images, batch.camids)
        terms = supervision_losses(out.seen, batch.pids, net.config)
        if out.means and net.temperature is not None:
            terms["gam"] = net.config.gam_weight * volume_loss(out.means, net.temperature)
        if out.sampled:
            terms["lam"] = net.config.lam_weight * patch_loss(out.sampled)
        return terms

    def embed(self, model: nn.Module, batch: Batch) -> Tensor:
        """The (n, 2 * d * modalities) descriptors; 3072 as published.

        An absent modality is zero after normalisation, and goes through the encoder with its
        camera's vector, as in DeMo; the authors' code has no such test.
        """
        descriptors: Tensor = model(batch.images, batch.camids)
        return descriptors

    def lr_scales(self, model: nn.Module) -> list[tuple[float, list[nn.Parameter]]]:
        """The encoder's part of the rate, and the classifiers'."""
        net = _unwrap(model)
        classifiers = [p for k, p in net.heads.named_parameters() if ".classifier." in k]
        return [
            (net.config.encoder_rate, list(net.backbone.encoder.parameters())),
            (net.config.classifier_rate, classifiers),
        ]

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


def _unwrap(model: nn.Module) -> SignalNet:
    """The network inside the wrappers of distributed training and torch.compile."""
    for wrapped in ("module", "_orig_mod"):
        model = getattr(model, wrapped, model)
    assert isinstance(model, SignalNet)
    return model
