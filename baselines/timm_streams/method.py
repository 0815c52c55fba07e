"""`timm` as the harness calls it: build, loss, embed."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from baselines.shared.cross import in_eval_mode, unwrapped
from baselines.shared.losses import batch_hard_triplet, hetero_center
from baselines.timm_streams.config import TimmConfig
from baselines.timm_streams.model import StreamsNet, TrainOutput
from harness.spec.method import Batch, DataInfo
from harness.spec.modality import Modality
from ieee.losses import multi_modal_margin


class TimmStreams:
    """The plugin named by `baselines.timm_streams.info.INFO.target`."""

    def build(self, config: TimmConfig, data: DataInfo) -> StreamsNet:
        """A new network; its backbones start from `data.pretrained`."""
        return StreamsNet(config, data)

    def loss(self, model: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """The weighted terms whose weight is not 0.

        Args:
            model: A `StreamsNet` in train mode, or a wrapper of one.
            batch: Images by modality and labels.
        """
        net = unwrapped(model, StreamsNet)
        config = net.config
        out: TrainOutput = model(batch.images, batch.present)
        terms: dict[str, Tensor] = {}
        if config.weight_ce:
            terms["ce"] = config.weight_ce * functional.cross_entropy(
                out.logits, batch.pids, label_smoothing=config.label_smoothing
            )
        if config.weight_triplet:
            hard = batch_hard_triplet(out.fused, batch.pids, config.margin)
            terms["triplet"] = config.weight_triplet * hard
        if net.center is not None:
            terms["center"] = net.center(out.fused, batch.pids)
        if config.weight_hetero_center:
            apart = hetero_center(out.by_modality, batch.pids)
            terms["hetero_center"] = config.weight_hetero_center * apart
        if config.weight_3m:
            margin = multi_modal_margin(out.by_modality, batch.pids, config.margin_3m)
            terms["3m"] = config.weight_3m * margin
        return terms

    def embed(self, model: nn.Module, batch: Batch) -> Tensor:
        """The (n, d) descriptors of length 1, always in eval mode; columns as `StreamsNet`."""
        with in_eval_mode(model):
            descriptors: Tensor = model(batch.images, batch.present)
        return descriptors

    def lr_scales(self, model: nn.Module) -> list[tuple[float, list[nn.Parameter]]]:
        """The centres of the center loss learn at their own rate."""
        net = unwrapped(model, StreamsNet)
        if net.center is None:
            return []
        return [(net.config.center_rate, list(net.center.parameters()))]

    def modality_columns(self, model: nn.Module) -> dict[Modality, tuple[int, int]]:
        """Which columns come from one modality alone: those of `feature_concat`, and others'."""
        return unwrapped(model, StreamsNet).columns
