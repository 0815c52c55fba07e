"""The losses, the update and the schedule of CycleGAN."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch import Tensor

from harness.base.errors import TrainingError
from harness.translate.cyclegan import CycleGAN, make_optimiser, step
from harness.translate.settings import Settings, learning_rate, make_settings

SMALL = {"size": (24, 24), "blocks": 1, "width": 4}


def _images(seed: int, count: int = 1) -> list[Tensor]:
    draws = torch.Generator().manual_seed(seed)
    return [torch.rand(1, 3, 24, 24, generator=draws) * 2 - 1 for _ in range(count)]


def test_the_rate_is_constant_then_falls_in_a_line() -> None:
    rates = [learning_rate(2e-4, epoch, 200) for epoch in range(200)]
    assert rates[:100] == [2e-4] * 100
    expected = [2e-4 * (1 - (epoch - 99) / 101) for epoch in range(100, 200)]
    assert rates[100:] == pytest.approx(expected, rel=1e-12)
    assert learning_rate(2e-4, 200, 200) == 0
    assert [learning_rate(1.0, e, 1) for e in range(1)] == [1]
    assert [learning_rate(1.0, e, 5) for e in range(5)] == pytest.approx([1, 1, 1, 2 / 3, 1 / 3])


def test_the_losses_are_those_of_the_paper() -> None:
    settings = make_settings("RGB", "TI", identity=0.5, **SMALL)
    gan = CycleGAN(settings, 1).requires_grad_(False)
    (source,), (target,) = _images(1), _images(2)
    fake = gan.generated(source, target)
    terms = gan.generator_losses(source, target, fake)
    verdicts = [gan.critics[side](fake[side]) for side in ("source", "target")]
    assert float(terms["fool"]) == pytest.approx(
        sum(float(((v - 1) ** 2).mean()) for v in verdicts)
    )
    there_and_back = gan.to_source(gan.to_target(source)), gan.to_target(gan.to_source(target))
    errors = [(a - b).abs().mean() for a, b in zip(there_and_back, (source, target), strict=True)]
    assert float(terms["cycle"]) == pytest.approx(10 * float(sum(errors)))
    same = (gan.to_target(target) - target).abs().mean()
    same = same + (gan.to_source(source) - source).abs().mean()
    assert float(terms["identity"]) == pytest.approx(5 * float(same))
    assert "identity" not in CycleGAN(Settings(**SMALL), 1).generator_losses(source, target, fake)
    real = {"source": source, "target": target}
    found = gan.critic_losses(real, fake, np.random.default_rng(0))
    for side, verdict in zip(("source", "target"), verdicts, strict=True):
        on_real = gan.critics[side](real[side])
        expected = ((on_real - 1) ** 2).mean() / 2 + (verdict**2).mean() / 2
        assert float(found[f"critic_{side}"]) == pytest.approx(float(expected))


def _plain_step(
    gan: CycleGAN, optimisers: list[torch.optim.Optimizer], source: Tensor, target: Tensor
) -> None:
    """The update written out with two optimisers, as the paper tells it."""
    fake = gan.generated(source, target)
    loss = sum(gan.generator_losses(source, target, fake).values())
    gan.zero_grad()
    loss.backward()  # type: ignore[union-attr]
    optimisers[0].step()
    real = {"source": source, "target": target}
    loss = sum(gan.critic_losses(real, fake, np.random.default_rng(0)).values())
    gan.zero_grad()
    loss.backward()  # type: ignore[union-attr]
    optimisers[1].step()


def test_one_optimiser_does_what_two_do() -> None:
    ours = CycleGAN(Settings(**SMALL), 3)
    theirs = copy.deepcopy(ours)
    optimiser = make_optimiser(ours)
    generators = [*theirs.to_target.parameters(), *theirs.to_source.parameters()]
    pair = [
        torch.optim.Adam(params, 2e-4, (0.5, 0.999))
        for params in (generators, list(theirs.critics.parameters()))
    ]
    for source, target in zip(_images(1, 2), _images(2, 2), strict=True):
        step(ours, optimiser, source, target, np.random.default_rng(0))
        _plain_step(theirs, pair, source, target)
    for (name, one), two in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        assert torch.equal(one, two), name


def test_it_learns_a_toy_pair_of_domains() -> None:
    """Source: red on the left. Target: the same shapes, blue. Seen apart, never as a pair."""
    settings = Settings(size=(24, 24), blocks=1, width=8, learning_rate=2e-3)
    gan = CycleGAN(settings, 0).train()
    optimiser, draws = make_optimiser(gan), np.random.default_rng(1)

    def toy(channel: int) -> Tensor:
        image = torch.full((1, 3, 24, 24), -0.8)
        image[:, channel, :, : int(draws.integers(6, 18))] = 0.8
        return image

    cycles = []
    for _ in range(40):
        losses = step(gan, optimiser, toy(0), toy(2), draws)
        assert all(torch.isfinite(v) for v in losses.values())
        cycles.append(float(losses["cycle"]))
    assert np.mean(cycles[-10:]) < 0.5 * np.mean(cycles[:10])
    with torch.inference_mode():
        made = gan.to_target(toy(0)).mean((0, 2, 3))
    assert made[2] > made[0], "what it makes is more blue than red"


@pytest.mark.parametrize(
    "bad",
    [{"size": (16, 24)}, {"size": (26, 24)}, {"epochs": 0}, {"blocks": 0}, {"width": -1}],
)
def test_numbers_that_cannot_be_trained_with(bad: dict[str, object]) -> None:
    with pytest.raises(TrainingError) as found:
        make_settings("RGB", "TI", **bad)
    assert str(next(iter(bad.values()))).strip("(").split(",")[0] in found.value.seen
