"""MDReID as the harness calls it: build, loss, embed, pair."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from baselines.mdreid.config import MDReIDConfig
from baselines.mdreid.losses import enhancement_loss, orthogonality_loss
from baselines.mdreid.model import SHARED, MDReIDNet, TrainOutput
from baselines.mdreid.official import ours
from baselines.mdreid.pairing import chosen, taken
from baselines.shared.clip_heads import supervision_losses
from harness.spec.method import Batch, DataInfo
from harness.spec.modality import Modality


class MDReID:
    """The plugin named by `baselines.mdreid.info.INFO.target`."""

    def build(self, config: MDReIDConfig, data: DataInfo) -> MDReIDNet:
        """A new network; its encoder starts from `data.pretrained`."""
        return MDReIDNet(config, data)

    def loss(self, model: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """`id_` and `triplet_` of every modality's own token and of the shared ones,
        `orthogonality` and `enhancement`.

        Args:
            model: A `MDReIDNet` in train mode, or a wrapper of one.
            batch: Images by modality, labels and cameras.
        """
        config = _unwrap(model).config
        out: TrainOutput = model(batch.images, batch.camids)
        terms = supervision_losses(out.seen, batch.pids, config)
        if SHARED in out.seen:
            for kind in ("id", "triplet"):
                terms[f"{kind}_{SHARED}"] = config.shared_weight * terms[f"{kind}_{SHARED}"]
        if config.orthogonality:
            apart = orthogonality_loss(out.own, out.shared)
            terms["orthogonality"] = config.orthogonality_weight * apart
        if config.enhancement:
            better = enhancement_loss(out.own, out.shared, batch.pids)
            terms["enhancement"] = config.enhancement_weight * better
        return terms

    def embed(self, model: nn.Module, batch: Batch) -> Tensor:
        """The (n, 2 * d * modalities) descriptors; 3072 as published.

        The columns of an absent modality are zero, which in a distance is as the authors leave
        them out. Without the shared token it is a grey image, with its camera's vector.
        """
        net = _unwrap(model)
        slots: Tensor = model(batch.images, batch.camids)
        if net.config.shared_token:
            there = _there(net, batch, slots)
            slots = (slots.unflatten(1, (2, len(net.modalities), -1)) * there).flatten(1)
        return functional.normalize(slots) if net.config.normalise else slots

    def pair(
        self,
        model: nn.Module,
        slots: tuple[Tensor, Tensor],
        query_modalities: tuple[Modality, ...],
        gallery_modalities: tuple[Modality, ...],
    ) -> tuple[Tensor, Tensor]:
        """Descriptors of queries and gallery that have different modalities, see `chosen`.

        Without the shared token they stay as they are.

        Args:
            model: A `MDReIDNet`.
            slots: (q, 2 * d * modalities) and (g, the same), as `embed` gives them.
            query_modalities: What the queries have.
            gallery_modalities: What the gallery has.

        Returns:
            (q, e) and (g, e).
        """
        net = _unwrap(model)
        if not net.config.shared_token:
            return slots
        sides = chosen(query_modalities, gallery_modalities)
        query, gallery = (
            taken(side, net.modalities, wanted) for side, wanted in zip(slots, sides, strict=True)
        )
        if not net.config.normalise:
            return query, gallery
        return functional.normalize(query), functional.normalize(gallery)

    def lr_scales(self, model: nn.Module) -> list[tuple[float, list[nn.Parameter]]]:
        """The encoder's part of the rate; its positions learn at the rate itself."""
        net = _unwrap(model)
        named = net.backbone.encoder.named_parameters()
        slow = [p for name, p in named if name != "positional_embedding"]
        return [(net.config.encoder_rate, slow)]

    def modality_columns(self, model: nn.Module) -> dict[Modality, tuple[int, int]]:
        """The columns of what a modality has of its own."""
        net = _unwrap(model)
        return {m: (i * net.width, (i + 1) * net.width) for i, m in enumerate(net.modalities)}

    def import_state(self, state: dict[str, Any]) -> dict[str, Any]:
        """A state dict in our names: the authors' is translated, ours returned as it is.

        Raises:
            CheckpointError: It is neither.
        """
        return ours(state)


def _there(net: MDReIDNet, batch: Batch, like: Tensor) -> Tensor:
    """(n, 1, modalities, 1), 1 where a sample has the modality and 0 where not."""
    nothing = torch.zeros(len(like), dtype=torch.bool, device=like.device)
    columns = [batch.present.get(m, nothing) for m in net.modalities]
    return torch.stack(columns, 1)[:, None, :, None].to(like.dtype)


def _unwrap(model: nn.Module) -> MDReIDNet:
    """The network inside the wrappers of distributed training and torch.compile."""
    for wrapped in ("module", "_orig_mod"):
        model = getattr(model, wrapped, model)
    assert isinstance(model, MDReIDNet)
    return model
