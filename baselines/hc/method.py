"""The hetero-center network as the harness calls it: build, loss, embed."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from baselines.hc.config import HCConfig
from baselines.hc.model import HCNet, TrainOutput
from baselines.shared.cross import (
    complete,
    in_eval_mode,
    items_of,
    mean_over_present,
    unwrapped,
)
from baselines.shared.losses import hetero_center
from harness.spec.method import Batch, DataInfo
from harness.spec.modality import Modality


class HC:
    """The plugin named by `baselines.hc.info.INFO.target`."""

    def build(self, config: HCConfig, data: DataInfo) -> HCNet:
        """A new network with one backbone per modality of the run."""
        return HCNet(config, data)

    def loss(self, model: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """`ce`, mean over the images and summed over the stripes, and the weighted `hc`.

        An identity's centres are taken over the samples that have every modality. With a single
        modality there is no pair of centres, and `hc` is 0.
        """
        net = unwrapped(model, HCNet)
        items = items_of(batch)
        out: TrainOutput = model(items.images)
        ce = sum_over_parts(torch.cat(list(out.logits.values())), items.pids)
        whole = complete(batch)
        paired = {m: out.features[m][whole.items[m]] for m in items.images}
        pids, config = batch.pids[whole.rows], net.config
        apart = torch.stack(
            [
                hetero_center({m: f[:, part] for m, f in paired.items()}, pids, config.margin)
                for part in range(config.parts)
            ]
        ).sum()
        return {"ce": ce, "hc": config.weight_hc * apart}

    def embed(self, model: nn.Module, batch: Batch) -> Tensor:
        """The (n, parts * width) descriptors; every stripe has length 1.

        A sample seen by several modalities gets the mean of their descriptors, each stripe
        normalised again.
        """
        with in_eval_mode(model):
            found: dict[Modality, Tensor] = model(batch.images)
        mean = functional.normalize(mean_over_present(found, batch.present), dim=2)
        return mean.flatten(1)

    def lr_scales(self, model: nn.Module) -> list[tuple[float, list[nn.Parameter]]]:
        """The backbones learn at a tenth of the rate, as in the authors' code."""
        return [(0.1, list(unwrapped(model, HCNet).streams.parameters()))]


def sum_over_parts(logits: Tensor, pids: Tensor) -> Tensor:
    """Cross-entropy, mean over the images, summed over the stripes.

    Args:
        logits: (n, parts, classes).
        pids: (n,) labels.
    """
    parts = logits.shape[1]
    by_part = logits.transpose(0, 1).flatten(0, 1)
    return parts * functional.cross_entropy(by_part, pids.repeat(parts))
