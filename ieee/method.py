"""IEEE as the harness calls it: build, loss, embed."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from harness.spec.method import Batch, DataInfo
from ieee.config import IEEEConfig
from ieee.losses import multi_modal_margin, summed_cross_entropy
from ieee.model import IEEENet, TrainOutput
from ieee.official import is_official, to_our_names


class IEEE:
    """The plugin named by `ieee.info.INFO.target`."""

    def build(self, config: IEEEConfig, data: DataInfo) -> IEEENet:
        """A new network with one stream per modality of the run.

        New layers start from PyTorch's defaults, gamma from 0, the backbones from
        `data.pretrained`.
        """
        return IEEENet(
            config, data.classes, data.modalities, data.pretrained, (data.height, data.width)
        )

    def loss(self, model: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """The weighted terms `ce` and, unless `loss = "softmax"`, `3m`.

        Args:
            model: An `IEEENet` in train mode, or a wrapper of one.
            batch: Images by modality and labels.
        """
        config = _unwrap(model).config
        out: TrainOutput = model(batch.images)
        cross_entropy = summed_cross_entropy(out.logits, batch.pids, config.label_smoothing)
        terms = {"ce": config.weight_x * cross_entropy}
        if config.loss == "margin":
            apart = multi_modal_margin(
                out.features, batch.pids, config.margin, config.margin_distance
            )
            terms["3m"] = config.weight_m * apart
        return terms

    def embed(self, model: nn.Module, batch: Batch) -> Tensor:
        """The (n, 2304) descriptors in the order TI, RGB, NI, not normalised.

        Always in eval mode; a model that was training is put back afterwards. A modality that
        the whole side lacks is zero after normalisation, as single absent images are.
        """
        was_training = model.training
        if was_training:
            model.eval()
        grey = torch.zeros_like(next(iter(batch.images.values())))
        images = {m: batch.images.get(m, grey) for m in _unwrap(model).modalities}
        descriptors: Tensor = model(images)
        if was_training:
            model.train()
        return descriptors

    def import_state(self, state: dict[str, Any]) -> dict[str, Any]:
        """A state dict in our names: the authors' is translated, any other returned as it is."""
        return to_our_names(state) if is_official(state) else state


def _unwrap(model: nn.Module) -> IEEENet:
    """The network inside the wrappers of distributed training and torch.compile."""
    for wrapped in ("module", "_orig_mod"):
        model = getattr(model, wrapped, model)
    assert isinstance(model, IEEENet)
    return model
