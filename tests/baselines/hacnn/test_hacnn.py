"""HA-CNN equals its public implementation, and loads its public weights."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch.nn import functional

from baselines.hacnn.blocks import cut_out, sampled_by_products
from baselines.hacnn.config import HACNNConfig
from baselines.hacnn.method import HACNNStreams
from baselines.hacnn.network import HACNN
from harness.base.errors import CheckpointError, PretrainedError, RecipeError
from tests.baselines.streams import TALL, Case, batch_of, fake_file, holds_against_public, info
from tests.conftest import Harness

METHOD = HACNNStreams()
HEADS = ("classifier_global", "classifier_local")
CASES = [
    Case(METHOD, HACNNConfig(), "hacnn", TALL, HEADS),
    Case(METHOD, HACNNConfig(align_corners=True), "hacnn_align_corners", TALL, HEADS),
]


@pytest.mark.parametrize("case", CASES, ids=[c.file for c in CASES])
def test_equals_the_public_network(case: Case) -> None:
    holds_against_public(case)


def test_parameters_are_those_printed_when_counted_as_printed() -> None:
    """The model zoo's 4.5 M counts the local layers once for each of the four regions."""
    net = HACNN()
    all_of_it = sum(p.numel() for p in net.parameters())
    local = sum(p.numel() for p in net.local.parameters())
    assert all_of_it == 2_929_112
    assert all_of_it + 3 * local == 4_507_928


def test_each_half_of_the_descriptor_has_length_one() -> None:
    model = METHOD.build(HACNNConfig(), info(TALL, ("RGB",))).double()
    with torch.no_grad():
        descriptor = METHOD.embed(model, batch_of(CASES[0]))
    assert descriptor.shape == (4, 1024)
    torch.testing.assert_close(descriptor[:, :512].norm(dim=1), torch.ones(4).double())
    torch.testing.assert_close(descriptor[:, 512:].norm(dim=1), torch.ones(4).double())


def test_the_regions_start_as_four_stripes() -> None:
    features = torch.rand(2, 128, 40, 16)
    shifts = HACNN().stages[0].regions(features)
    expected = torch.tensor([-0.75, -0.25, 0.25, 0.75]).tanh()
    torch.testing.assert_close(shifts, torch.stack([0 * expected, expected], 1).expand(2, 4, 2))


@pytest.mark.parametrize("align_corners", [False, True])
def test_regions_by_products_are_those_of_grid_sample(align_corners: bool) -> None:
    """Values and both gradients, for regions that reach out of the image, too."""
    draw = torch.Generator().manual_seed(0)
    found = []
    for way in (functional.grid_sample, sampled_by_products):
        features = torch.randn((5, 3, 12, 8), dtype=torch.float64, generator=draw.manual_seed(1))
        shift = torch.empty(5, 2, dtype=torch.float64).uniform_(-1, 1, generator=draw)
        weights = torch.randn((5, 3, 12, 8), dtype=torch.float64, generator=draw)
        features.requires_grad_()
        shift.requires_grad_()
        scale = torch.diag(torch.tensor([1, 0.25], dtype=torch.float64)).expand(5, 2, 2)
        place = torch.cat([scale, shift[:, :, None]], 2)
        grid = functional.affine_grid(place, [5, 3, 12, 8], align_corners=align_corners)
        out = way(features, grid, align_corners=align_corners)
        (out * weights).sum().backward()
        found.append((out, features.grad, shift.grad))
    torch.testing.assert_close(found[1], found[0])


def test_places_are_not_rounded_to_eight_bits() -> None:
    """Under autocast features are bf16, in which 0.4297 and 0.4302 are one place."""
    features = torch.arange(160.0)[:, None].expand(1, 1, 160, 64)
    seen = [
        cut_out(features.to(kind), torch.tensor([[0.0, 0.43]]), (24, 28), False)
        for kind in (torch.bfloat16, torch.float32)
    ]
    # Lines of 0..159 are whole numbers, which bf16 has to the last; a half of one is its rounding.
    assert (seen[0].float() - seen[1]).abs().max() <= 0.5


def test_public_weights_are_loaded_and_misfits_are_named(tmp_path: Path) -> None:
    path = tmp_path / "hacnn_market1501.pth"
    state = fake_file(CASES[0], path)
    data = info(TALL)._replace(pretrained=str(path))
    model = METHOD.build(HACNNConfig(), data)
    ours = {
        METHOD.names(HACNNConfig()).of(k): v for k, v in model.networks["TI"].state_dict().items()
    }
    assert all(torch.equal(value, state[key]) for key, value in ours.items())

    del state["ha2.hard_attn.fc.bias"]
    torch.save(state, path)
    with pytest.raises(CheckpointError, match=r"1 missing: ha2\.hard_attn\.fc\.bias"):
        METHOD.build(HACNNConfig(), data)


def test_there_are_no_imagenet_weights() -> None:
    with pytest.raises(PretrainedError, match="nobody published ImageNet weights of hacnn"):
        METHOD.build(HACNNConfig(), info(TALL)._replace(pretrained="imagenet"))


def test_every_recipe_is_given_the_one_size(harness: Harness) -> None:
    for recipe in ("smoke", "rgbnt201", "common"):
        answer = harness("show", "recipe", recipe, "--method", "hacnn", "--json")
        assert answer.code == 0
        assert (answer.json["input"]["height"], answer.json["input"]["width"]) == (160, 64)


def test_another_size_is_refused() -> None:
    with pytest.raises(RecipeError, match="256 x 128"):
        HACNN()(torch.zeros(2, 3, 256, 128))
