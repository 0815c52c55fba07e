"""The network of TOP-ReID: a ViT for each modality, TPM over their tokens, CRM between them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from baselines.shared.reid_vit import ReidViT, load_vit, start_narrow
from baselines.shared.vit_heads import Supervised, classifier, grey_where_absent, neck
from baselines.top_reid.config import TopReidConfig
from baselines.top_reid.permutation import Reconstruction, TokenPermutation
from harness.spec.method import DataInfo
from harness.spec.modality import Modality

Pair = tuple[Modality, Modality]


class TrainOutput(NamedTuple):
    """What the network gives in training."""

    heads: dict[str, Supervised]
    """`tpm`, `vit` and one named as each modality, whichever of them are trained."""
    remade: dict[Pair, Tensor]
    """Each (n,): the mean squared error of the target's tokens as the source tells them."""


class Stream(nn.Module):
    """What belongs to one modality; without a `base` where the first one's ViT is shared."""

    def __init__(self, base: ReidViT | None, width: int, classes: int) -> None:
        super().__init__()
        self.base = base
        self.bottleneck = neck(width, shift=False)
        self.classifier = classifier(width, classes)

    def head(self, feature: Tensor) -> Supervised:
        """The feature (n, d) and its logits."""
        return Supervised(feature, self.classifier(self.bottleneck(feature)))


class TopReidNet(nn.Module):
    """TOP-ReID for one or more modalities, under the authors' parameter names.

    Args:
        config: The options; kept as `config`.
        data: Classes, modalities, cameras, input size and pretrained weights.
    """

    def __init__(self, config: TopReidConfig, data: DataInfo) -> None:
        super().__init__()
        self.config = config
        self.modalities = data.modalities
        size, together = (data.height, data.width), config.width * len(data.modalities)
        for place, modality in enumerate(data.modalities):
            own = place == 0 or config.streams == "own"
            base = ReidViT(config, size, data.cameras) if own else None
            self.add_module(modality, Stream(base, config.width, data.classes))
        load_vit((v for m in data.modalities if (v := self._stream(m).base)), data.pretrained)
        self.TPM: TokenPermutation | None = None
        if config.tpm:
            self.TPM = TokenPermutation(config, data.modalities)
            self.bottleneck_TPM = neck(together, shift=False)
            self.classifier_TPM = classifier(together, data.classes)
        self.CRM: Reconstruction | None = None
        if config.crm and len(data.modalities) > 1:
            self.CRM = Reconstruction(config, data.modalities)
        if config.fusion_init == "trunc_normal":
            for fusion in (self.TPM, self.CRM):
                if fusion is not None:
                    fusion.apply(start_narrow)
        self.bottleneck_ViT = neck(together, shift=False)
        self.classifier_ViT = classifier(together, data.classes)

    @property
    def columns(self) -> dict[Modality, tuple[int, int]]:
        """The columns of each modality; none where TPM mixes them."""
        if self.config.tpm:
            return {}
        d = self.config.width
        return {m: (i * d, (i + 1) * d) for i, m in enumerate(self.modalities)}

    def forward(
        self,
        images: Mapping[Modality, Tensor],
        present: Mapping[Modality, Tensor],
        camids: Tensor | None = None,
        lacking: Collection[Modality] = (),
    ) -> Tensor | TrainOutput:
        """Descriptors in eval mode, what the losses need in train mode.

        Args:
            images: Normalised images by modality, each (n, 3, height, width), zero where absent.
            present: Each (n,) bool, the keys of `images`.
            camids: (n,) int64, where the camera is embedded.
            lacking: The modalities of `images` that some sample lacks.

        Returns:
            In eval mode the (n, d * modalities) descriptor.
        """
        tokens, remade = self._tokens(images, present, camids, lacking)
        vit = torch.cat([tokens[m][:, 0] for m in self.modalities], 1)
        tpm = None if self.TPM is None else torch.cat(list(self.TPM(tokens).values()), 1)
        if not self.training:
            found = self._descriptor(vit, tpm)
            return functional.normalize(found) if self.config.normalise else found
        heads = {} if tpm is None else {"tpm": self._head("TPM", tpm)}
        # Every neck's running statistics move, whichever heads are trained.
        joint = self._head("ViT", vit)
        each = {str(m): self._stream(m).head(tokens[m][:, 0]) for m in self.modalities}
        heads |= {"vit": joint} if self.config.supervision == "joint" else each
        return TrainOutput(heads, remade)

    def _tokens(
        self,
        images: Mapping[Modality, Tensor],
        present: Mapping[Modality, Tensor],
        camids: Tensor | None,
        lacking: Collection[Modality],
    ) -> tuple[dict[Modality, Tensor], dict[Pair, Tensor]]:
        """All tokens, made from the other modalities where absent; in training, how well."""
        if self.CRM is None:
            shown = grey_where_absent(images, self.modalities)
            return {m: self._base(m)(shown[m], camids) for m in self.modalities}, {}
        seen = {m: self._base(m)(images[m], camids) for m in self.modalities if m in images}
        remade = [m for m in self.modalities if m not in seen or m in lacking]
        made = {
            (source, target): self.CRM(seen[source], source, target)
            for source, target in self.CRM.pairs
            if source in seen and (self.training or target in remade)
        }
        tokens = seen | {m: self._imputed(m, seen, made, present) for m in remade}
        if not self.training:
            return tokens, {}
        errors = {
            pair: (found - seen[pair[1]]).square().mean((1, 2))
            for pair, found in made.items()
            if pair[1] in seen
        }
        return tokens, errors

    def _imputed(
        self,
        modality: Modality,
        seen: Mapping[Modality, Tensor],
        made: Mapping[Pair, Tensor],
        present: Mapping[Modality, Tensor],
    ) -> Tensor:
        """A modality's tokens; in rows without it, the mean of what the modalities there tell."""
        told = [
            (found, present[s].to(found.dtype)) for (s, t), found in made.items() if t == modality
        ]
        count = torch.stack([weight for _, weight in told]).sum(0).clamp(min=1)
        mean = sum(found * (weight / count)[:, None, None] for found, weight in told)
        assert isinstance(mean, Tensor)
        if modality not in seen:
            return mean
        return torch.where(present[modality][:, None, None], seen[modality], mean)

    def _descriptor(self, vit: Tensor, tpm: Tensor | None) -> Tensor:
        after = self.config.descriptor == "after"
        if tpm is not None:
            return cast(Tensor, self.bottleneck_TPM(tpm)) if after else tpm
        return cast(Tensor, self.bottleneck_ViT(vit)) if after else vit

    def _head(self, name: str, feature: Tensor) -> Supervised:
        normalised = self.get_submodule(f"bottleneck_{name}")(feature)
        return Supervised(feature, self.get_submodule(f"classifier_{name}")(normalised))

    def _stream(self, modality: Modality) -> Stream:
        return cast(Stream, self.get_submodule(modality))

    def _base(self, modality: Modality) -> ReidViT:
        base = self._stream(modality).base or self._stream(self.modalities[0]).base
        assert base is not None
        return base
