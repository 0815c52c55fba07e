"""UniCat as the harness calls it: build, loss, embed."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from baselines.shared.cross import in_eval_mode, unwrapped
from baselines.shared.losses import batch_hard_triplet
from baselines.unicat.config import UniCatConfig
from baselines.unicat.model import TrainOutput, UniCatNet
from harness.spec.method import Batch, DataInfo
from harness.spec.modality import Modality


class UniCat:
    """The plugin named by `baselines.unicat.info.INFO.target`."""

    def build(self, config: UniCatConfig, data: DataInfo) -> UniCatNet:
        """A new network; its backbones start from `data.pretrained`."""
        return UniCatNet(config, data)

    def loss(self, model: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """Cross-entropy and triplet, each the mean over the modalities of their own losses.

        A branch learns from the samples that have its modality.

        Args:
            model: A `UniCatNet` in train mode, or a wrapper of one.
            batch: Images by modality and labels.
        """
        config = unwrapped(model, UniCatNet).config
        out: TrainOutput = model(batch.images, batch.present)
        entropy, triplet = [], []
        for modality, logits in out.logits.items():
            here = batch.present[modality]
            each = functional.cross_entropy(
                logits, batch.pids, label_smoothing=config.label_smoothing, reduction="none"
            )
            entropy.append((each * here).sum() / here.sum().clamp(min=1))
            features = out.features[modality]
            triplet.append(batch_hard_triplet(features, batch.pids, config.margin, here))
        return {"ce": torch.stack(entropy).mean(), "triplet": torch.stack(triplet).mean()}

    def embed(self, model: nn.Module, batch: Batch) -> Tensor:
        """The (n, d * modalities) descriptors of length 1, always in eval mode."""
        with in_eval_mode(model):
            descriptors: Tensor = model(batch.images, batch.present)
        return descriptors

    def lr_scales(self, model: nn.Module) -> list[tuple[float, list[nn.Parameter]]]:
        """Biases learn at `bias_rate` times the rate, as the authors' optimiser."""
        net = unwrapped(model, UniCatNet)
        biases = [p for name, p in net.named_parameters() if name.endswith("bias")]
        return [(net.config.bias_rate, biases)]

    def modality_columns(self, model: nn.Module) -> dict[Modality, tuple[int, int]]:
        """The columns of each modality."""
        return unwrapped(model, UniCatNet).columns
