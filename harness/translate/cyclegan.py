"""CycleGAN: two generators, two discriminators, and the losses that tie them together."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from harness.translate.networks import Discriminator, Generator, initialise
from harness.translate.pool import ImagePool
from harness.translate.settings import Settings

Terms = dict[str, Tensor]


class CycleGAN(nn.Module):
    """Everything that a training changes, the two image pools among it.

    Args:
        settings: Sizes and weights.
        seed: Of the first weights.
    """

    def __init__(self, settings: Settings, seed: int) -> None:
        super().__init__()
        self.settings = settings
        self.to_target = Generator(settings.width, settings.blocks)
        self.to_source = Generator(settings.width, settings.blocks)
        self.critics = nn.ModuleDict(
            {"source": Discriminator(settings.width), "target": Discriminator(settings.width)}
        )
        self.pools = nn.ModuleDict(
            {side: ImagePool(settings.pool, settings.size) for side in ("source", "target")}
        )
        initialise(self, torch.Generator().manual_seed(seed))

    def generated(self, source: Tensor, target: Tensor) -> dict[str, Tensor]:
        """What each side looks like when made from the other; keys `source` and `target`."""
        return {"source": self.to_source(target), "target": self.to_target(source)}

    def generator_losses(self, source: Tensor, target: Tensor, fake: dict[str, Tensor]) -> Terms:
        """The generators' terms, to be added up.

        Args:
            source: Real images (n, 3, h, w) in -1..1.
            target: The same of the other modality; not of the same people or moments.
            fake: What `generated` made of them.

        Returns:
            `fool` (both generators, least squares), `cycle` and, if weighted, `identity` (L1).
        """
        cycle, identity = self.settings.cycle, self.settings.cycle * self.settings.identity
        terms = {
            "fool": sum_of(_squares(self.critics[side](fake[side]), 1.0) for side in fake),
            "cycle": cycle
            * (
                functional.l1_loss(self.to_source(fake["target"]), source)
                + functional.l1_loss(self.to_target(fake["source"]), target)
            ),
        }
        if identity:
            terms["identity"] = identity * (
                functional.l1_loss(self.to_target(target), target)
                + functional.l1_loss(self.to_source(source), source)
            )
        return terms

    def critic_losses(
        self, real: dict[str, Tensor], fake: dict[str, Tensor], draws: np.random.Generator
    ) -> Terms:
        """The discriminators' terms, one each, on real images and on those the pools give.

        Halved, so that the discriminators learn at half the generators' pace (section 7.1).
        """
        terms = {}
        for side, critic in self.critics.items():
            pool = self.pools[side]
            assert isinstance(pool, ImagePool)
            shown = pool.exchange(fake[side].detach(), draws)
            both = _squares(critic(real[side]), 1.0) + _squares(critic(shown), 0.0)
            terms[f"critic_{side}"] = 0.5 * both
        return terms


def step(
    gan: CycleGAN,
    optimiser: torch.optim.Optimizer,
    source: Tensor,
    target: Tensor,
    draws: np.random.Generator,
) -> Terms:
    """One update of the generators, then one of the discriminators.

    One Adam over all four networks is two independent ones here: it leaves a parameter without a
    gradient alone, and each half of the step gives gradients to its own networks only.
    """
    gan.critics.requires_grad_(False)
    fake = gan.generated(source, target)
    terms = gan.generator_losses(source, target, fake)
    _descend(optimiser, terms)
    gan.critics.requires_grad_(True)
    verdicts = gan.critic_losses({"source": source, "target": target}, fake, draws)
    _descend(optimiser, verdicts)
    return {name: term.detach() for name, term in (terms | verdicts).items()}


def make_optimiser(gan: CycleGAN) -> torch.optim.Optimizer:
    """Adam over everything that is trained."""
    settings = gan.settings
    return torch.optim.Adam(gan.parameters(), settings.learning_rate, settings.betas)


def sum_of(terms: Iterator[Tensor]) -> Tensor:
    """The sum of scalars."""
    return torch.stack(list(terms)).sum()


def _descend(optimiser: torch.optim.Optimizer, terms: Terms) -> None:
    optimiser.zero_grad(set_to_none=True)
    sum_of(iter(terms.values())).backward()  # type: ignore[no-untyped-call]
    optimiser.step()


def _squares(verdict: Tensor, wanted: float) -> Tensor:
    return (verdict - wanted).square().mean()
