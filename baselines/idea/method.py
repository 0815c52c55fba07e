"""IDEA as the harness calls it: build, loss, embed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from baselines.idea.config import IdeaConfig
from baselines.idea.model import IdeaNet
from baselines.idea.official import ours
from baselines.idea.wording import prompt_ids
from baselines.shared.clip_heads import Supervised, supervision_losses
from harness.spec.method import Batch, DataInfo
from harness.spec.modality import Modality


class Idea:
    """The plugin named by `baselines.idea.info.INFO.target`."""

    def build(self, config: IdeaConfig, data: DataInfo) -> IdeaNet:
        """A new network; both of its encoders start from `data.pretrained`."""
        return IdeaNet(config, data)

    def loss(self, model: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """`id_` and `triplet_` of class tokens and text tokens, and of what CDA makes of them.

        Args:
            model: An `IdeaNet` in train mode, or a wrapper of one.
            batch: Images and captions by modality, labels and cameras.
        """
        seen: dict[str, Supervised] = model(batch.images, batch.camids, batch.text)
        return supervision_losses(seen, batch.pids, _unwrap(model).config)

    def embed(self, model: nn.Module, batch: Batch) -> Tensor:
        """The (n, d * modalities) descriptors; 1536 as published.

        An absent modality is zero after normalisation, and goes through the encoder with its
        camera's vector and its caption, which is empty unless the protocol keeps it.
        """
        descriptors: Tensor = model(batch.images, batch.camids, batch.text)
        return descriptors

    def text_prompt(self, config: IdeaConfig, modality: Modality) -> Sequence[int]:
        """What stands before each caption of a modality, in ids of CLIP's byte pairs."""
        return prompt_ids(config, modality)

    def lr_scales(self, model: nn.Module) -> list[tuple[float, list[nn.Parameter]]]:
        """The image encoder's part of the rate, and that of all others, biases included."""
        net = _unwrap(model)
        encoder = list(net.backbone.encoder.parameters())
        found = [(net.config.encoder_rate, encoder)]
        if net.config.rest_rate != 1:
            inside = set(encoder)
            found.append((net.config.rest_rate, [p for p in net.parameters() if p not in inside]))
        return found

    def modality_columns(self, model: nn.Module) -> dict[Modality, tuple[int, int]]:
        """The columns of each modality; none where CDA looks at all of them."""
        net = _unwrap(model)
        if net.cda is not None and net.config.descriptor != "tokens":
            return {}
        return {m: (i * net.width, (i + 1) * net.width) for i, m in enumerate(net.modalities)}

    def import_state(self, state: dict[str, Any]) -> dict[str, Any]:
        """A state dict in our names: the authors' is translated, ours returned as it is.

        Raises:
            CheckpointError: It is neither.
        """
        return ours(state)


def _unwrap(model: nn.Module) -> IdeaNet:
    """The network inside the wrappers of distributed training and torch.compile."""
    for wrapped in ("module", "_orig_mod"):
        model = getattr(model, wrapped, model)
    assert isinstance(model, IdeaNet)
    return model
