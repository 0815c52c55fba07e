"""One independent single-modality network for each modality, their descriptors side by side."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from baselines.shared.cross import in_eval_mode, items_of, unwrapped
from baselines.shared.public_weights import PublicNames, load_public
from baselines.shared.stream_config import StreamConfig
from harness.spec.method import Batch, DataInfo
from harness.spec.modality import Modality
from harness.training.streams import side_by_side


class Network(nn.Module):
    """A network for one modality: images (n, 3, h, w) in, one or more embeddings out.

    Attributes:
        widths: The width of each embedding; each is trained by a classifier of its own.
        normalised: Whether each embedding is divided by its length in the descriptor.
    """

    widths: tuple[int, ...]
    normalised: bool = False


class Seen(NamedTuple):
    """What one stream made of a batch.

    Attributes:
        embeddings: Each (k, width) for k images.
        logits: Each (k, classes), in training; else empty.
    """

    embeddings: tuple[Tensor, ...]
    logits: tuple[Tensor, ...] = ()


class Streams(nn.Module):
    """Networks by modality, with a classifier for every embedding of each.

    Args:
        networks: One for each modality of the run, in order.
        classes: Identities of train.
        config: The shared options.
    """

    def __init__(
        self, networks: Mapping[Modality, Network], classes: int, config: StreamConfig
    ) -> None:
        super().__init__()
        self.config = config
        self.columns = _side_by_side({m: sum(n.widths) for m, n in networks.items()})
        self.normalised = {m: n.normalised for m, n in networks.items()}
        self.networks = nn.ModuleDict({m: n for m, n in networks.items()})
        self.classifiers = nn.ModuleDict(
            {
                m: nn.ModuleList(_classifier(width, classes) for width in network.widths)
                for m, network in networks.items()
            }
        )

    def forward(self, images: Mapping[Modality, Tensor]) -> dict[Modality, Seen]:
        """What each stream sees; a modality without a stream is not looked at.

        Args:
            images: Each (k_m, 3, height, width). Only those that are there, so that absent ones
                move no running statistics.
        """
        given = [m for m in self.columns if m in images]
        streams = {m: partial(self._stream, m) for m in given}
        return side_by_side(streams, {m: (images[m],) for m in given})

    def _stream(self, modality: Modality, images: Tensor) -> Seen:
        embeddings = self.networks[modality](images)
        if not self.training:
            return Seen(embeddings)
        classifiers = cast(nn.ModuleList, self.classifiers[modality])
        pairs = zip(classifiers, embeddings, strict=True)
        return Seen(embeddings, tuple(classify(x) for classify, x in pairs))


class StreamMethod:
    """A method whose class says only what the network of a modality is."""

    def network(self, config: Any, data: DataInfo) -> Network:
        """A new network for one modality, randomly initialised."""
        raise NotImplementedError

    def names(self, config: Any) -> PublicNames:
        """How the public checkpoints call the network."""
        raise NotImplementedError

    def build(self, config: Any, data: DataInfo) -> Streams:
        """One network for each modality of the run, all from the same pretrained weights."""
        networks = {m: self.network(config, data) for m in data.modalities}
        if data.pretrained != "none":
            load_public(networks.values(), data.pretrained, self.names(config))
        return Streams(networks, data.classes, config)

    def loss(self, model: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """`ce_RGB` and so on: the cross-entropy of each stream, the mean over its classifiers."""
        streams, items = unwrapped(model, Streams), items_of(batch)
        # batch normalisation of one sample in training has no variance to divide by
        enough = {m: x for m, x in items.images.items() if len(x) > 1}
        made: dict[Modality, Seen] = model(enough) if enough else {}
        terms = {}
        for modality in (m for m in streams.columns if m in batch.images):
            if modality not in made:
                # a stream that was left out still has a term, with a gradient of zero
                idle = 0 * next(streams.classifiers[modality].parameters()).sum()
                terms[f"ce_{modality}"] = idle
                continue
            labels, smoothing = batch.pids[items.rows[modality]], streams.config.label_smoothing
            parts = [
                functional.cross_entropy(x, labels, label_smoothing=smoothing)
                for x in made[modality].logits
            ]
            terms[f"ce_{modality}"] = torch.stack(parts).mean()
        return terms

    def embed(self, model: nn.Module, batch: Batch) -> Tensor:
        """The (n, d) descriptors: the streams' side by side, in the order of the modalities.

        Always in eval mode; a model that was training is put back afterwards. The columns of a
        modality that a sample lacks are zero, so that d is always the same.
        """
        streams, items = unwrapped(model, Streams), items_of(batch)
        with in_eval_mode(model):
            made: dict[Modality, Seen] = model(items.images)
        width = max(upto for _, upto in streams.columns.values())
        weight = next(streams.parameters())
        descriptors = weight.new_zeros((len(batch.pids), width))
        for modality, seen in made.items():
            first, upto = streams.columns[modality]
            own = _descriptor(seen.embeddings, streams.normalised[modality])
            descriptors[items.rows[modality], first:upto] = own.to(descriptors.dtype)
        return descriptors

    def start_epoch(self, model: nn.Module, epoch: int) -> None:
        """Freeze the networks for the first `frozen_epochs`, and free them afterwards."""
        streams = unwrapped(model, Streams)
        learning = epoch >= streams.config.frozen_epochs
        streams.networks.train(learning)
        streams.networks.requires_grad_(learning)

    def modality_columns(self, model: nn.Module) -> dict[Modality, tuple[int, int]]:
        """The columns of each modality in the descriptor, from and up to."""
        return dict(unwrapped(model, Streams).columns)


def _descriptor(embeddings: tuple[Tensor, ...], normalised: bool) -> Tensor:
    parts = [functional.normalize(x, dim=1) if normalised else x for x in embeddings]
    return torch.cat(parts, dim=1)


def _side_by_side(widths: Mapping[Modality, int]) -> dict[Modality, tuple[int, int]]:
    columns, upto = {}, 0
    for modality, width in widths.items():
        columns[modality] = (upto, upto + width)
        upto += width
    return columns


def _classifier(width: int, classes: int) -> nn.Linear:
    linear = nn.Linear(width, classes)
    nn.init.normal_(linear.weight, 0, 0.01)
    nn.init.zeros_(linear.bias)
    return linear
