"""PFNet as the harness calls it: build, loss, embed."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from baselines.pfnet.config import PFNetConfig
from baselines.pfnet.model import PART, STRIPES, PFNetwork, TrainOutput, descriptor_order
from baselines.pfnet.official import is_official, to_our_names
from harness.spec.method import Batch, DataInfo
from harness.spec.modality import Modality


class PFNet:
    """The plugin named by `baselines.pfnet.info.INFO.target`."""

    def build(self, config: PFNetConfig, data: DataInfo) -> PFNetwork:
        """A new network with a branch for each modality and for each pair with the first one.

        New layers start from PyTorch's defaults, the backbones from `data.pretrained`.
        """
        return PFNetwork(config, data)

    def loss(self, model: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """The cross-entropy `parts`, summed over branches and stripes, and `whole`, of all.

        Args:
            model: A `PFNetwork` in train mode, or a wrapper of one.
            batch: Images by modality and labels.
        """
        smoothing = _unwrap(model).config.label_smoothing
        out: TrainOutput = model(batch.images)

        def entropy(logits: Tensor) -> Tensor:
            return functional.cross_entropy(logits, batch.pids, label_smoothing=smoothing)

        stripes = [logits for found in out.logits.values() for logits in found.unbind(1)]
        parts = torch.stack([entropy(logits) for logits in stripes]).sum()
        return {"parts": parts, "whole": entropy(out.whole)}

    def embed(self, model: nn.Module, batch: Batch) -> Tensor:
        """The (n, 512 * branches) descriptors, not normalised; 2560 with three modalities.

        A modality that the whole side lacks is zero after normalisation, as single absent images
        are: its own branch then gives a constant, and its sum with RGB is RGB and a constant.
        """
        grey = torch.zeros_like(next(iter(batch.images.values())))
        images = {m: batch.images.get(m, grey) for m in _unwrap(model).modalities}
        descriptors: Tensor = model(images)
        return descriptors

    def modality_columns(self, model: nn.Module) -> dict[Modality, tuple[int, int]]:
        """The columns of the branches that see one modality alone."""
        width = STRIPES * PART
        order = descriptor_order(_unwrap(model).modalities)
        return {s[0]: (i * width, (i + 1) * width) for i, s in enumerate(order) if len(s) == 1}

    def import_state(self, state: dict[str, Any]) -> dict[str, Any]:
        """A state dict in our names: the authors' is translated, any other returned as it is."""
        return to_our_names(state) if is_official(state) else state


def _unwrap(model: nn.Module) -> PFNetwork:
    """The network inside the wrappers of distributed training and torch.compile."""
    for wrapped in ("module", "_orig_mod"):
        model = getattr(model, wrapped, model)
    assert isinstance(model, PFNetwork)
    return model
