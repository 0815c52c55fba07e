"""Tokens of each modality made of those of the others (GEN)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn

from baselines.mfrnet.config import MFRNetConfig
from baselines.mfrnet.routing import ExpertLayer, Routed
from harness.spec.modality import Modality

_EXPERTS = 3
_WITHIN = 1024

ONE: tuple[tuple[Modality, Modality], ...] = (("NI", "RGB"), ("TI", "RGB"), ("RGB", "NI"))
TWO: tuple[tuple[Modality, Modality], ...] = (("TI", "NI"), ("RGB", "TI"), ("NI", "TI"))
"""Which of two layers of experts makes which tokens, of what and for what, in the order of calls.

Neither layer is told what for.
"""


class Generated(NamedTuple):
    """What GEN gives."""

    tokens: dict[Modality, Tensor]
    """Each (n, t, d)."""
    routed: dict[str, Routed]
    """The last call of each layer, `one` and `two`; the balance sees no other."""


class Generation(nn.Module):
    """A modality's tokens become half of themselves and a weighed sum of what others make of them.

    Args:
        modalities: Two or more.
        width: d of the tokens.
        config: Of the experts, and the part of a modality's own tokens.
    """

    def __init__(self, modalities: tuple[Modality, ...], width: int, config: MFRNetConfig) -> None:
        super().__init__()
        self.modalities = modalities
        self.own_weight = config.own_weight
        self.pairs = {
            name: [p for p in pairs if set(p) <= set(modalities)]
            for name, pairs in (("one", ONE), ("two", TWO))
        }
        self.layers = nn.ModuleDict(
            {
                name: ExpertLayer(width, _EXPERTS, _WITHIN, residual=False, config=config)
                for name, pairs in self.pairs.items()
                if pairs
            }
        )
        self.weights = nn.ModuleDict()
        if len(modalities) > 2:
            made = [p for pairs in self.pairs.values() for p in pairs]
            self.weights.update({pair_name(*p): nn.Linear(width, 1) for p in made})

    def forward(
        self, tokens: Mapping[Modality, Tensor], present: Mapping[Modality, Tensor], limited: bool
    ) -> Generated:
        """New tokens of every modality.

        Args:
            tokens: Each (n, t, d), of absent images too, which count as nothing.
            present: Each (n,) bool; a modality that is no key is absent everywhere.
            limited: As of `ExpertLayer`.
        """
        nowhere = torch.zeros_like(next(iter(present.values())))
        here = {m: present.get(m, nowhere) for m in self.modalities}
        sources = [m for m in self.modalities if m in present]
        made: dict[tuple[Modality, Modality], Tensor] = {}
        routed: dict[str, Routed] = {}
        for name, layer in self.layers.items():
            for pair in self.pairs[name]:
                if pair[0] in sources:
                    routed[name] = layer(tokens[pair[0]], limited)
                    made[pair] = routed[name].output
        new = {}
        for m in self.modalities:
            shares = self._shares(m, tokens, here)
            own = here[m].to(tokens[m].dtype)
            own = own.where(~(torch.stack([here[s] for s in shares]).any(0)), self.own_weight * own)
            new[m] = tokens[m] * own[:, None, None]
            for source, share in shares.items():
                if source in sources:
                    new[m] = new[m] + made[source, m] * share[:, None, None].to(new[m].dtype)
        return Generated(new, routed)

    def _shares(
        self,
        target: Modality,
        tokens: Mapping[Modality, Tensor],
        here: Mapping[Modality, Tensor],
    ) -> dict[Modality, Tensor]:
        """Each (n,), how much of what is made of the others counts; nothing where they lack."""
        others = [m for m in self.modalities if m != target]
        there = torch.stack([here[m] for m in others], 1)
        if not self.weights:
            return dict(zip(others, there.to(tokens[target].dtype).unbind(1), strict=True))
        scores = torch.cat(
            [self.weights[pair_name(m, target)](tokens[m].mean(1)) for m in others], 1
        )
        least = torch.finfo(scores.dtype).min
        shares = scores.masked_fill(~there, least).softmax(1) * there
        # What a lone RGB image is made into the authors weigh by the score itself.
        lone = (there.sum(1) == 1) & ~here[target]
        found = dict(zip(others, shares.unbind(1), strict=True))
        if "RGB" in found:
            raw = scores[:, others.index("RGB")]
            found["RGB"] = torch.where(lone & here["RGB"], raw, found["RGB"])
        return found


def pair_name(source: Modality, target: Modality) -> str:
    """The name among the parameters of what weighs one modality made into another."""
    return f"{source}_{target}"
