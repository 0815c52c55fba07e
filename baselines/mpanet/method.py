"""MPANet as the harness calls it: build, loss, embed, and the rate that each epoch settles."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from baselines.mpanet.config import MPANetConfig
from baselines.mpanet.losses import centre_cluster, mutual_mean, separation
from baselines.mpanet.model import MPANet, TrainOutput
from baselines.shared.cross import (
    by_modality,
    in_eval_mode,
    items_of,
    mean_over_present,
    unwrapped,
)
from harness.spec.method import Batch, DataInfo
from harness.spec.modality import Modality


class MPANetMethod:
    """The plugin named by `baselines.mpanet.info.INFO.target`."""

    def build(self, config: MPANetConfig, data: DataInfo) -> MPANet:
        """A new network; with one modality it has no modality-specific classifier."""
        return MPANet(config, data)

    def start_epoch(self, model: nn.Module, epoch: int) -> None:
        """The mean classifiers follow more slowly late in training."""
        specific = unwrapped(model, MPANet).specific
        if specific is not None:
            specific.start_epoch(epoch)

    def loss(self, model: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """`id`, `centre`, `separation` and, with two modalities or more, `specific`, `mutual`."""
        config = unwrapped(model, MPANet).config
        items = items_of(batch)
        out: TrainOutput = model(items.images)
        pooled, logits, maps = (torch.cat(list(found.values())) for found in out[:3])
        terms = {
            "id": functional.cross_entropy(logits, items.pids),
            "centre": config.weight_centre * centre_cluster(pooled, items.pids, config.margin),
            "separation": config.weight_separation * separation(maps),
        }
        if out.own:
            pids = by_modality(items.pids, items.images)
            specific = [functional.cross_entropy(out.own[m], pids[m]) for m in out.own]
            terms["specific"] = config.weight_specific * torch.stack(specific).sum()
            terms["mutual"] = config.weight_mutual * mutual_mean(out.own, out.others)
        return terms

    def embed(self, model: nn.Module, batch: Batch) -> Tensor:
        """The (n, channels * (patterns + 1)) descriptors, after the neck.

        A sample seen by several modalities gets the mean of their descriptors; the option
        `normalise` comes before and after the mean.
        """
        with in_eval_mode(model):
            found: dict[Modality, Tensor] = model(batch.images)
        if not unwrapped(model, MPANet).config.normalise:
            return mean_over_present(found, batch.present)
        unit = {m: functional.normalize(f) for m, f in found.items()}
        return functional.normalize(mean_over_present(unit, batch.present))
