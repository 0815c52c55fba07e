"""The ways of Figure 6 of the IEEE paper to make one feature of the modalities' features."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn

from baselines.shared.encoder import Encoder
from harness.spec.modality import Modality
from ieee.blocks import conv_bn_relu

REDUCED = 768
"""Width of a progressive stream, as in PFNet; a narrower backbone keeps its own."""


class Seen(NamedTuple):
    """What the backbones saw, by modality of the run; zero where a sample lacks it."""

    maps: dict[Modality, Tensor]
    """Each (n, c, h, w); left empty for a fusion of vectors."""
    vectors: dict[Modality, Tensor]
    """Each (n, d)."""
    present: dict[Modality, Tensor]
    """Each (n,) bool."""


class Segment(NamedTuple):
    """Columns of the fused feature and the modalities they come from."""

    modalities: tuple[Modality, ...]
    width: int


class Fusion(nn.Module):
    """Fused features (n, d) from what the backbones saw.

    Attributes:
        segments: Its columns, in order; together d.
        of_maps: Whether it needs the maps.
    """

    segments: tuple[Segment, ...]
    of_maps = False


class FeatureSum(Fusion):
    """The sum of the modalities' vectors, which for average pooling is that of their maps."""

    def __init__(self, modalities: tuple[Modality, ...], backbone: Encoder) -> None:
        super().__init__()
        self.segments = (Segment(modalities, backbone.width),)

    def forward(self, seen: Seen) -> Tensor:
        """(n, d) from `seen.vectors`."""
        return whole_sum(seen.vectors, seen.present)


class FeatureConcat(Fusion):
    """The modalities' vectors side by side."""

    def __init__(self, modalities: tuple[Modality, ...], backbone: Encoder) -> None:
        super().__init__()
        self.segments = tuple(Segment((m,), backbone.width) for m in modalities)

    def forward(self, seen: Seen) -> Tensor:
        """(n, d * modalities) from `seen.vectors`."""
        return torch.cat(list(seen.vectors.values()), 1)


class Aggregate(Fusion):
    """DAPNet-like: a 1x1 convolution over the maps side by side aggregates them into one.

    DAPNet (Zhu et al. 2019) does so at every depth of its backbone and prunes channels; here the
    last maps are aggregated, so that any backbone can be used, and none is pruned.
    """

    of_maps = True

    def __init__(self, modalities: tuple[Modality, ...], backbone: Encoder) -> None:
        super().__init__()
        self.segments = (Segment(modalities, backbone.channels),)
        self.mix = conv_bn_relu(len(modalities) * backbone.channels, backbone.channels)
        self.class_token = backbone.class_token

    def forward(self, seen: Seen) -> Tensor:
        """(n, c) from `seen.maps`."""
        return pool_map(self.mix(torch.cat(list(seen.maps.values()), 1)), self.class_token)


class Progressive(Fusion):
    """PFNet-like: each modality, and the first one added to each other, reduced and concatenated.

    With all three modalities the five streams of PFNet (Zheng et al. 2021): R, N, T, R+N, R+T.
    Its stripes are left out, so that the fusions differ in nothing but the fusion.
    """

    of_maps = True

    def __init__(self, modalities: tuple[Modality, ...], backbone: Encoder) -> None:
        super().__init__()
        width = min(REDUCED, backbone.channels)
        first, *others = modalities
        groups = [(m,) for m in modalities] + [(first, m) for m in others]
        self.segments = tuple(Segment(group, width) for group in groups)
        self.reduce = nn.ModuleList(conv_bn_relu(backbone.channels, width) for _ in groups)
        self.class_token = backbone.class_token

    def forward(self, seen: Seen) -> Tensor:
        """(n, 768 * streams) from `seen.maps`."""
        parts = []
        for segment, reduce in zip(self.segments, self.reduce, strict=True):
            chosen = {m: seen.maps[m] for m in segment.modalities}
            parts.append(pool_map(reduce(whole_sum(chosen, seen.present)), self.class_token))
        return torch.cat(parts, 1)


FUSIONS: dict[str, Callable[[tuple[Modality, ...], Encoder], Fusion]] = {
    "feature_sum": FeatureSum,
    "feature_concat": FeatureConcat,
    "aggregate": Aggregate,
    "progressive": Progressive,
}
"""By the name in the recipe; `image_sum` has nothing left to fuse."""


def whole_sum(values: Mapping[Modality, Tensor], present: Mapping[Modality, Tensor]) -> Tensor:
    """The sum over modalities, at the scale it has where none is absent.

    Args:
        values: Each (n, ...), zero where absent.
        present: Each (n,) bool, at least for these modalities.
    """
    total = torch.stack(list(values.values())).sum(0)
    there = torch.stack([present[m] for m in values]).sum(0).clamp(min=1)
    scale = (len(values) / there).to(total.dtype)
    return total * scale.reshape(-1, *[1] * (total.ndim - 1))


def pool_map(features: Tensor, class_token: bool) -> Tensor:
    """The (n, c) vector of a map (n, c, h, w): the class token's place, or the mean."""
    return features[:, :, 0, 0] if class_token else features.mean((2, 3))


def there(segments: tuple[Segment, ...], present: Mapping[Modality, Tensor]) -> Tensor:
    """(n, d) bool: whether a column comes from any modality that the sample has."""
    parts = []
    for segment in segments:
        any_there = torch.stack([present[m] for m in segment.modalities]).any(0)
        parts.append(any_there[:, None].expand(-1, segment.width))
    return torch.cat(parts, 1)


def single_columns(segments: tuple[Segment, ...]) -> dict[Modality, tuple[int, int]]:
    """The columns, from and up to, that come from one modality alone."""
    found: dict[Modality, tuple[int, int]] = {}
    start = 0
    for segment in segments:
        if len(segment.modalities) == 1:
            found[segment.modalities[0]] = (start, start + segment.width)
        start += segment.width
    return found


def absent_as_zero(
    values: Mapping[Modality, Tensor], modalities: tuple[Modality, ...]
) -> dict[Modality, Tensor]:
    """The values of all modalities of a run, in order; those that are no key are zero."""
    zero = torch.zeros_like(next(iter(values.values())))
    return {m: values.get(m, zero) for m in modalities}
