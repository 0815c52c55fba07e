"""The hetero-center network: as the public one, one modality or several, absent images."""

from __future__ import annotations

import pytest
import torch

from baselines.hc.config import HCConfig
from baselines.hc.info import INFO
from baselines.hc.method import HC, sum_over_parts
from baselines.hc.model import HCNet
from harness.spec.modality import MODALITIES, Modality
from harness.spec.resolve import resolve
from harness.training.optimiser import make_optimiser
from tests.baselines.pairs import (
    PAIR,
    SETTING,
    data_info,
    fill,
    golden_batch,
    golden_numbers,
    gradient_norm,
    near,
    only,
    public_value,
    running_sum,
    small_batch,
)

METHOD = HC()
SMALL = HCConfig(backbone="resnet18", width=16)


def small_net(modalities: tuple[Modality, ...] = PAIR) -> HCNet:
    torch.manual_seed(0)
    return METHOD.build(SMALL, data_info(modalities))


def public_name(key: str) -> str:
    _, _, rest = key.partition(".")
    if key.startswith("streams."):
        modality, _, inner = rest.partition(".body.")
        stream = {"RGB": "visible", "TI": "thermal"}[modality]
        return f"{stream}_net.{stream}.{inner}"
    number, _, inner = rest.partition(".")
    part, leaf = inner.split(".", 1)
    place = {"embed": "feature{}.feat_block.0", "norm": "feature{}.feat_block.1"}
    return place.get(part, "classifier{}.classifier.1").format(int(number) + 1) + f".{leaf}"


def test_equals_the_public_network() -> None:
    golden, batch = golden_numbers("hc"), golden_batch()
    model = METHOD.build(HCConfig(), data_info(classes=SETTING.classes)).double()
    fill(model, lambda key, shape: public_value(public_name(key), shape))
    with torch.no_grad():
        for modality in PAIR:
            near(METHOD.embed(model, only(batch, modality))[:, ::16], golden[f"eval.{modality}"])
    model.train()
    terms = METHOD.loss(model, batch)
    near(terms["ce"], golden["loss.ce"])
    near(terms["hc"], golden["loss.hc"])
    near(running_sum(model), golden["buffers.sum"])
    torch.stack(list(terms.values())).sum().backward()
    near(gradient_norm(model), golden["grad.norm"], 1e-6)


@pytest.mark.parametrize("modalities", [("TI",), PAIR, MODALITIES])
def test_descriptor_and_losses_for_any_number_of_modalities(
    modalities: tuple[Modality, ...],
) -> None:
    model, batch = small_net(modalities), small_batch(modalities)
    terms = METHOD.loss(model.train(), batch)
    assert (float(terms["hc"].detach()) == 0) == (len(modalities) == 1)
    with torch.no_grad():
        descriptor = METHOD.embed(model, batch)
    assert descriptor.shape == (4, 6 * 16)
    lengths = descriptor.reshape(4, 6, 16).norm(dim=2)
    torch.testing.assert_close(lengths, torch.ones(4, 6))


def test_a_side_with_one_modality_uses_its_own_backbone_alone() -> None:
    model, batch = small_net(), small_batch()
    with torch.no_grad():
        before = METHOD.embed(model, only(batch, "TI"))
        for parameter in model.streams["RGB"].parameters():
            parameter.zero_()
        torch.testing.assert_close(METHOD.embed(model, only(batch, "TI")), before)


def test_an_absent_image_counts_in_neither_loss_nor_statistics() -> None:
    """As if the sample had been left out of that modality; its centres need both."""
    model = small_net().train()
    out = METHOD.loss(model, small_batch(absent={"TI": [0]}))
    fresh = small_net().train()
    images = small_batch().images
    seen = fresh({"RGB": images["RGB"], "TI": images["TI"][1:]})
    want = sum_over_parts(torch.cat([*seen.logits.values()]), torch.tensor([1, 1, 4, 4, 1, 4, 4]))
    torch.testing.assert_close(out["ce"], want)
    assert running_sum(model) == running_sum(fresh)


def test_a_training_without_any_thermal_image_in_a_batch() -> None:
    terms = METHOD.loss(small_net().train(), small_batch(absent={"TI": [0, 1, 2, 3]}))
    assert float(terms["hc"].detach()) == 0
    assert torch.isfinite(terms["ce"])


def test_margin_and_weight_of_the_hetero_center_loss() -> None:
    model, batch = small_net().train(), small_batch()
    base = METHOD.loss(model, batch)["hc"]
    model.config = SMALL.model_copy(update={"weight_hc": 1.0})
    torch.testing.assert_close(METHOD.loss(model, batch)["hc"], 2 * base)
    model.config = SMALL.model_copy(update={"margin": 4.1})
    assert (
        float(METHOD.loss(model, batch)["hc"].detach()) == 0
    )  # no two unit vectors are farther apart


def test_backbones_learn_at_a_tenth() -> None:
    model = small_net()
    settings = resolve(INFO, "rgbnt201", "rgbnt201", "RGB>TI@regdb").recipe.optimiser
    groups = make_optimiser(settings, model, METHOD.lr_scales(model)).param_groups
    rates = {id(p): g["lr"] for g in groups for p in g["params"]}
    assert all(rates[id(p)] == pytest.approx(0.001) for p in model.streams.parameters())
    assert all(rates[id(p)] == pytest.approx(0.01) for p in model.heads.parameters())
