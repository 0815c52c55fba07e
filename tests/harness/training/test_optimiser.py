"""Which parameters learn at which rate, and what is decayed."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from harness.spec.recipe import Optimiser
from harness.training.optimiser import make_optimiser

NAMES = ("sgd", "adam", "adamw")


class _Net(nn.Module):
    """An encoder with a rate of its own, a head, and a layer no loss asks for."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.encoder = nn.MultiheadAttention(4, 2)
        self.head = nn.Linear(4, 3)
        self.unused = nn.Linear(4, 3)
        self.frozen = nn.Parameter(torch.ones(3), requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.head(self.encoder(x, x, x)[0]) * self.frozen
        return found


def _groups(settings: Optimiser, net: _Net) -> dict[str, tuple[float, float]]:
    """Rate and decay of each parameter that is trained, by name."""
    optimiser = make_optimiser(settings, net, [(0.1, net.encoder.parameters())])
    name_of = {id(p): name for name, p in net.named_parameters()}
    return {
        name_of[id(p)]: (group["lr"], group["weight_decay"])
        for group in optimiser.param_groups
        for p in group["params"]
    }


def test_biases_have_a_rate_and_a_decay_of_their_own() -> None:
    settings = Optimiser(lr=1, weight_decay=0.5, bias_lr_factor=2, bias_weight_decay=0)
    assert _groups(settings, _Net()) == {
        "encoder.in_proj_weight": (0.1, 0.5),
        "encoder.out_proj.weight": (0.1, 0.5),
        # The method's rate of a module is that of its biases, too.
        "encoder.in_proj_bias": (0.1, 0),
        "encoder.out_proj.bias": (0.1, 0),
        "head.weight": (1, 0.5),
        "head.bias": (2, 0),
        "unused.weight": (1, 0.5),
        "unused.bias": (2, 0),
    }


def test_biases_are_decayed_as_all_where_nothing_else_is_said() -> None:
    groups = _groups(Optimiser(lr=1, weight_decay=0.5, bias_lr_factor=2), _Net())
    assert {decay for _, decay in groups.values()} == {0.5}
    assert groups["head.bias"] == (2, 0.5)


@pytest.mark.parametrize("name", NAMES)
def test_what_has_no_gradient_is_not_decayed(name: str) -> None:
    net = _Net()
    before = {k: v.clone() for k, v in net.state_dict().items()}
    settings = Optimiser(name=name, lr=0.1, weight_decay=0.5, bias_lr_factor=2)  # type: ignore[arg-type]
    optimiser = make_optimiser(settings, net)
    for _ in range(2):
        net(torch.ones(2, 1, 4)).sum().backward()
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
    still = {k for k, v in net.state_dict().items() if torch.equal(v, before[k])}
    assert still == {"unused.weight", "unused.bias", "frozen"}


def test_adam_decays_through_the_gradient_and_adamw_beside_it() -> None:
    """With a constant gradient of zero but for the decay, Adam's step has the rate's length."""
    after = {}
    for name in ("adam", "adamw"):
        net = nn.Linear(1, 1, bias=False)
        nn.init.constant_(net.weight, 4.0)
        optimiser = make_optimiser(Optimiser(name=name, lr=0.1, weight_decay=0.5), net)  # type: ignore[arg-type]
        net.weight.grad = torch.zeros_like(net.weight)
        optimiser.step()
        after[name] = net.weight.item()
    assert after == pytest.approx({"adam": 4 - 0.1, "adamw": 4 * (1 - 0.1 * 0.5)})


def test_sgd_without_nesterov_is_the_textbooks() -> None:
    net = nn.Linear(1, 1, bias=False)
    nn.init.constant_(net.weight, 1.0)
    settings = Optimiser(lr=0.1, momentum=0.9, nesterov=False, weight_decay=0.5)
    optimiser = make_optimiser(settings, net)
    weight, speed = 1.0, 0.0
    for gradient in (1.0, -2.0, 0.5):
        net.weight.grad = torch.full_like(net.weight, gradient)
        optimiser.step()
        speed = 0.9 * speed + gradient + 0.5 * weight
        weight -= 0.1 * speed
        assert net.weight.item() == pytest.approx(weight)
