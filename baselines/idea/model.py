"""The network of IDEA."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from baselines.idea.aggregation import DeformableAggregation, sampled
from baselines.idea.config import IdeaConfig
from baselines.idea.text import TextEncoder
from baselines.idea.weights import load_text
from baselines.idea.wording import prompt_ids
from baselines.shared.clip_heads import Heads, Supervised
from baselines.shared.clip_streams import ClipStreams
from harness.base.errors import RecipeError
from harness.spec.method import DataInfo
from harness.spec.modality import Modality
from harness.spec.text import framed

VISUAL, TEXTUAL = "visual", "textual"
AGGREGATED = "cda_"
"""Before the names of what CDA gives, among what is trained."""


class Inversion(nn.Module):
    """A text as one more token of the image encoder.

    Args:
        entering: d of the text.
        width: Of the image encoder's tokens.
        dropout: After each layer.
    """

    def __init__(self, entering: int, width: int, dropout: float) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(entering, 4 * entering),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(4 * entering, width),
            nn.Dropout(dropout),
        )
        self.position = nn.Parameter(width**-0.5 * torch.randn(1, width))

    def forward(self, text: Tensor) -> Tensor:
        """(n, width), with the token's position, of (n, d)."""
        token: Tensor = self.layers(text) + self.position
        return token


class IdeaNet(nn.Module):
    """The whole network for one or more modalities.

    Args:
        config: The options; kept as `config`.
        data: Classes, modalities, cameras, input size and pretrained weights.

    Raises:
        RecipeError: Too few patches for the coarse map of CDA.
    """

    without_caption: Tensor
    """(modalities, 77) ids of an image that has no caption."""

    def __init__(self, config: IdeaConfig, data: DataInfo) -> None:
        super().__init__()
        self.config = config
        self.modalities = data.modalities
        self.backbone = ClipStreams(config, data)
        self.width = self.backbone.out
        self.text = TextEncoder(config.text, self.width, config.text_prompts)
        load_text(self.text, data.pretrained)
        nothing = torch.tensor([framed((), prompt_ids(config, m)) for m in self.modalities])
        self.register_buffer("without_caption", nothing, persistent=False)
        self.inversion: Inversion | None = None
        if config.inverse:
            width = self.backbone.encoder.width
            self.inversion = Inversion(self.width, width, config.inverse_dropout)
        self.cda: DeformableAggregation | None = None
        if config.cda:
            _require_patches(self.backbone.grid)
            self.cda = DeformableAggregation(
                self.modalities,
                self.width,
                self.backbone.grid,
                config.shared_offsets,
                config.offset_factor,
            )
        self.heads = Heads(self._widths(), data.classes)

    def forward(
        self,
        images: Mapping[Modality, Tensor],
        camids: Tensor | None = None,
        text: Mapping[Modality, Tensor] | None = None,
    ) -> Tensor | dict[str, Supervised]:
        """Descriptors in eval mode, what is trained in train mode.

        Args:
            images: Normalised images by modality, each (n, 3, height, width); a modality that is
                no key counts as zeros.
            camids: (n,) cameras, for a network with a camera embedding.
            text: Ids of captions, each (n, 77); a modality that is no key has none.

        Returns:
            In eval mode (n, d * modalities), twice as many with `descriptor = "tokens"`; in train
            mode each feature and its logits.
        """
        said = self._read(text or {}, next(iter(images.values())))
        classes, texts, maps = self._seen(images, camids, said)
        features = self._by_supervision(classes, texts)
        chosen = {VISUAL: _side_by_side(classes), TEXTUAL: _side_by_side(texts)}
        if self.cda is not None:
            asking = torch.stack([*classes.values(), *texts.values()], 1)
            both = self.cda(asking, maps).chunk(2, 1)
            if self.config.descriptor != "tokens":
                chosen = {k: b.flatten(1) for k, b in zip((VISUAL, TEXTUAL), both, strict=True)}
            for name, part in zip((VISUAL, TEXTUAL), both, strict=True):
                features[f"{AGGREGATED}{name}"] = part.flatten(1)
        if self.training:
            seen: dict[str, Supervised] = self.heads(features)
            return seen
        if self.config.descriptor == "tokens":
            whole = torch.cat(list(chosen.values()), 1)
        else:
            whole = chosen[self.config.descriptor]
        return functional.normalize(whole) if self.config.normalise else whole

    def _read(self, text: Mapping[Modality, Tensor], like: Tensor) -> dict[Modality, Tensor]:
        """Each modality's text, (n, d)."""
        n = len(like)
        ids = [
            text[m] if m in text else self.without_caption[i].expand(n, -1)
            for i, m in enumerate(self.modalities)
        ]
        read = self.text(torch.cat(ids)).chunk(len(ids))
        return dict(zip(self.modalities, read, strict=True))

    def _seen(
        self,
        images: Mapping[Modality, Tensor],
        camids: Tensor | None,
        said: Mapping[Modality, Tensor],
    ) -> tuple[dict[Modality, Tensor], dict[Modality, Tensor], dict[Modality, Tensor]]:
        """Class tokens and text tokens, each (n, d), and patches, each (n, d, h, w)."""
        if self.inversion is None:
            tokens = self.backbone(images, camids)
            texts = dict(said)
        else:
            shift = self.backbone.shift(camids)
            further = {m: self.inversion(t) for m, t in said.items()}
            if shift is not None:
                further = {m: token + shift for m, token in further.items()}
            tokens = self.backbone(images, camids, further)
            texts = {m: t[:, -1] for m, t in tokens.items()}
        rows, columns = self.backbone.grid
        maps = {
            m: t[:, 1 : 1 + rows * columns].mT.unflatten(2, self.backbone.grid)
            for m, t in tokens.items()
        }
        return {m: t[:, 0] for m, t in tokens.items()}, texts, maps

    def _by_supervision(
        self, classes: Mapping[Modality, Tensor], texts: Mapping[Modality, Tensor]
    ) -> dict[str, Tensor]:
        """What is classified of the tokens themselves: side by side, or each for itself."""
        sides = {VISUAL: classes, TEXTUAL: texts}
        if self.config.supervision == "joint":
            return {name: _side_by_side(tokens) for name, tokens in sides.items()}
        return {f"{name}_{m}": t for name, tokens in sides.items() for m, t in tokens.items()}

    def _widths(self) -> dict[str, int]:
        """The features that are trained, and how wide each is."""
        whole, names = self.width * len(self.modalities), (VISUAL, TEXTUAL)
        if self.config.supervision == "joint":
            widths = dict.fromkeys(names, whole)
        else:
            widths = {f"{name}_{m}": self.width for name in names for m in self.modalities}
        if self.config.cda:
            widths |= {f"{AGGREGATED}{name}": whole for name in names}
        return widths


def _side_by_side(tokens: Mapping[Modality, Tensor]) -> Tensor:
    return torch.cat(list(tokens.values()), 1)


def _require_patches(grid: tuple[int, int]) -> None:
    if min(sampled(size) for size in grid) < 2:
        raise RecipeError(
            f"{grid[0]}x{grid[1]} patches, of which CDA samples windows of 4x4, two apart",
            "6x6 patches or more, so that there are two windows in each axis",
            "raise input.height and input.width, lower config.encoder.patch and config.stride, "
            "or set config.cda=false",
        )
