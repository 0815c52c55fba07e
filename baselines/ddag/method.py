"""DDAG as the harness calls it: build, loss, embed, and the weight that each epoch settles."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from baselines.ddag.config import DDAGConfig
from baselines.ddag.model import DDAGNet, TrainOutput
from baselines.shared.cross import in_eval_mode, items_of, mean_over_present, unwrapped
from baselines.shared.losses import batch_hard_triplet
from harness.spec.method import Batch, DataInfo
from harness.spec.modality import Modality


class DDAG:
    """The plugin named by `baselines.ddag.info.INFO.target`."""

    def build(self, config: DDAGConfig, data: DataInfo) -> DDAGNet:
        """A new network with one stem per modality of the run."""
        return DDAGNet(config, data)

    def start_epoch(self, model: nn.Module, epoch: int) -> None:
        """Settle the graph's weight from the losses of the epoch before."""
        unwrapped(model, DDAGNet).dynamic.start_epoch()

    def loss(self, model: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """`id`, `triplet`, `part` and, weighted by the epoch before, `graph`."""
        net = unwrapped(model, DDAGNet)
        items = items_of(batch)
        out: TrainOutput = model(items.images)
        pooled, logits = (torch.cat(list(found.values())) for found in (out.pooled, out.logits))
        terms = {
            "id": functional.cross_entropy(logits, items.pids),
            "triplet": batch_hard_triplet(pooled, items.pids, net.config.margin),
        }
        if out.part_logits:
            part_logits = torch.cat(list(out.part_logits.values()))
            terms["part"] = functional.cross_entropy(part_logits, items.pids)
        net.dynamic.add(torch.stack(list(terms.values())).sum())
        if net.graph is not None:
            graph = functional.cross_entropy(net.graph(pooled, items.pids), items.pids)
            terms["graph"] = net.dynamic.weight * graph
        return terms

    def embed(self, model: nn.Module, batch: Batch) -> Tensor:
        """The (n, channels) descriptors of length 1.

        A sample seen by several modalities gets the mean of their descriptors, of length 1 again.
        """
        with in_eval_mode(model):
            found: dict[Modality, Tensor] = model(batch.images)
        unit = {m: functional.normalize(f) for m, f in found.items()}
        return functional.normalize(mean_over_present(unit, batch.present))

    def lr_scales(self, model: nn.Module) -> list[tuple[float, list[nn.Parameter]]]:
        """Stems and stages learn at a tenth of the rate, as in the authors' code."""
        net = unwrapped(model, DDAGNet)
        return [(0.1, [*net.stems.parameters(), *net.stages.parameters()])]
