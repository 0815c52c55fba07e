"""A layer of experts: a gate by cosines, a capacity for each expert, and how even the loads are."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from baselines.mfrnet.config import MFRNetConfig
from harness.training.numerics import full_precision

_GATE_WIDTH = 256
_HOTTEST = math.log(100)
"""The largest exponent of a gate's scale."""


class Routed(NamedTuple):
    """What a layer of E experts gives for tokens (..., d)."""

    output: Tensor
    """(..., d)."""
    shares: Tensor
    """(..., E), of the gate without its noise; over the experts summing to 1."""
    chosen: Tensor
    """(...), the noisy logit of the expert that was chosen."""


class Gate(nn.Module):
    """Cosines between a token, projected, and a learned direction of each expert.

    Args:
        width: d of the tokens.
        experts: E.
        noise: Deviation of what is added to the logits in training, times E; 0 adds nothing.
    """

    def __init__(self, width: int, experts: int, noise: float) -> None:
        super().__init__()
        self.noise = noise / experts
        self.projector = nn.Linear(width, _GATE_WIDTH)
        self.directions = nn.Parameter(0.01 * torch.randn(_GATE_WIDTH, experts))
        self.temperature = nn.Parameter(torch.tensor([math.log(2)]))

    def forward(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (..., E) without noise and with it, float32 or wider, of tokens (..., d)."""
        with full_precision(tokens.device):
            kind = torch.promote_types(tokens.dtype, torch.float32)
            turned = functional.normalize(self.projector(tokens.to(kind)), dim=-1)
            scale = self.temperature.clamp(max=_HOTTEST).exp()
            clean = scale * (turned @ functional.normalize(self.directions, dim=0))
            if not self.training or not self.noise:
                return clean, clean
            return clean, clean + self.noise * torch.randn_like(clean)


class Expert(nn.Module):
    """Two linear layers with nothing between them but dropout.

    Args:
        width: d of the tokens.
        within: Between the layers.
        residual: Whether the token itself is added.
        dropout: Between the layers.
    """

    def __init__(self, width: int, within: int, residual: bool, dropout: float) -> None:
        super().__init__()
        self.first = nn.Linear(width, within)
        self.dropout = nn.Dropout(dropout)
        self.second = nn.Linear(within, width)
        self.residual = residual

    def forward(self, tokens: Tensor) -> Tensor:
        """(..., d), of tokens (..., d)."""
        made: Tensor = self.second(self.dropout(self.first(tokens)))
        return tokens + made if self.residual else made


class ExpertLayer(nn.Module):
    """Each token goes to the expert that its gate prefers, and counts as the gate is sure of it.

    Args:
        width: d of the tokens.
        count: E.
        within: Between the two layers of an expert.
        residual: As of `Expert`.
        config: Capacity, noise, dropout, and whether the experts share their weights.
    """

    def __init__(
        self, width: int, count: int, within: int, residual: bool, config: MFRNetConfig
    ) -> None:
        super().__init__()
        self.factor = config.capacity_factor
        self.gate = Gate(width, count, config.gate_noise if config.gate_noise_drawn else 0.0)
        copies = 1 if config.experts == "shared" else count
        self.experts = nn.ModuleList(
            Expert(width, within, residual, config.dropout) for _ in range(copies)
        )
        if config.experts_init == "zero":
            for parameter in self.experts.parameters():
                nn.init.zeros_(parameter)

    def forward(self, tokens: Tensor, limited: bool) -> Routed:
        """The experts' answers, each times its gate's share; zero where a token was refused.

        Args:
            tokens: (n, t, d).
            limited: Whether an expert takes no more than its capacity of these n * t tokens, those
                first that their gates are surest of.
        """
        clean, noisy = self.gate(tokens)
        sure, chosen = noisy.softmax(-1).max(-1)
        count = clean.shape[-1]
        if limited:
            most = int(self.factor * -(-sure.numel() // count))
            sure = sure * kept(sure.flatten(), chosen.flatten(), count, most).view_as(sure)
        answers = self._answers(tokens, chosen)
        top = noisy.gather(-1, chosen[..., None])[..., 0]
        return Routed(answers * sure[..., None].to(answers.dtype), clean.softmax(-1), top)

    def _answers(self, tokens: Tensor, chosen: Tensor) -> Tensor:
        if len(self.experts) == 1:
            answers: Tensor = self.experts[0](tokens)
            return answers
        # Every expert on every token: shapes that depend on the choice would wait for the device.
        mine = [expert(tokens) * (chosen == i)[..., None] for i, expert in enumerate(self.experts)]
        return torch.stack(mine).sum(0)


def kept(sure: Tensor, chosen: Tensor, count: int, most: int) -> Tensor:
    """Which tokens their experts take: of each expert's the `most` that are surest.

    Args:
        sure: (t,), how sure each token's gate is; of equals the first comes first.
        chosen: (t,) int64, which expert each token goes to.
        count: Of experts.
        most: Tokens that an expert takes.

    Returns:
        (t,) bool.
    """
    order = sure.argsort(descending=True, stable=True)
    goes_to = chosen[order][:, None] == torch.arange(count, device=chosen.device)
    place = (goes_to.cumsum(0) * goes_to).sum(1)
    return (place <= most)[order.argsort()]


def imbalance(routed: Routed, noise: float) -> Tensor:
    """How unevenly the experts are used (Tutel's loss of importance and load), a scalar.

    The mean of two squared coefficients of variation: of the shares summed over all tokens, and of
    loads, each the chance that noise would have brought a token to the expert. Tutel compares there
    a share with a logit, where a logit with a logit is meant; so do its users, and this.

    Args:
        routed: Of the whole batch.
        noise: The config's `gate_noise`.
    """
    shares = routed.shares.flatten(0, -2)
    reach = (shares - routed.chosen.flatten()[:, None]) * (shares.shape[-1] / noise)
    loads = torch.special.ndtr(reach).sum(0)
    return (_variation(shares.sum(0)) + _variation(loads)) / 2


def _variation(amounts: Tensor) -> Tensor:
    return amounts.var() / (amounts.mean().square() + 1e-10)
