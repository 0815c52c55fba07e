"""HAMNet as the harness calls it: build, loss, embed."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from baselines.hamnet.config import HAMNetConfig
from baselines.hamnet.losses import collaboration
from baselines.hamnet.model import HAMNetwork, TrainOutput
from baselines.shared.cross import unwrapped
from baselines.shared.losses import batch_hard_triplet
from harness.spec.method import Batch, DataInfo


class HAMNet:
    """The plugin named by `baselines.hamnet.info.INFO.target`."""

    def build(self, config: HAMNetConfig, data: DataInfo) -> HAMNetwork:
        """A new network with one stream per modality of the run.

        New layers start from PyTorch's defaults, the backbones from `data.pretrained`.
        """
        return HAMNetwork(config, data)

    def loss(self, model: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """Cross-entropy `ce` and `triplet` of every stream and of the fused feature, and `hc`.

        With one modality there is nothing to agree with, and no `hc`.

        Args:
            model: A `HAMNetwork` in train mode, or a wrapper of one.
            batch: Images by modality and labels.
        """
        config = unwrapped(model, HAMNetwork).config
        out: TrainOutput = model(batch.images, batch.present)
        scores = [*out.scores.values(), out.fused_scores]
        features = [*out.features.values(), out.fused]
        entropies = [
            functional.cross_entropy(s, batch.pids, label_smoothing=config.label_smoothing)
            for s in scores
        ]
        triplets = [batch_hard_triplet(f, batch.pids, config.margin) for f in features]
        terms = {"ce": torch.stack(entropies).sum(), "triplet": torch.stack(triplets).sum()}
        if len(out.scores) > 1:
            terms["hc"] = config.weight_hc * collaboration(out.scores)
        return terms

    def embed(self, model: nn.Module, batch: Batch) -> Tensor:
        """The (n, d) fused descriptors, L2-normalised; d is 2048 with ResNet-50.

        An absent modality takes no part in the fusion.
        """
        fused: Tensor = model(batch.images, batch.present)
        return functional.normalize(fused)
