"""MPANet: as the public one, alleviation, mean classifiers, one modality or several."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from numpy.typing import NDArray

from baselines.mpanet.config import MPANetConfig
from baselines.mpanet.info import INFO
from baselines.mpanet.method import MPANetMethod
from baselines.mpanet.model import Alleviation, MPANet
from harness.spec.modality import MODALITIES, Modality
from harness.spec.resolve import resolve
from tests.baselines.pairs import PAIR, SETTING, data_info, fill, golden_batch, only, small_batch
from tests.baselines.public import golden_numbers, gradient_norm, near, public_value, running_sum

METHOD = MPANetMethod()
SMALL = MPANetConfig(backbone="resnet18")
PIECES = {
    "0.0": "conv1",
    "0.1": "bn1",
    **{str(i): f"layer{i}" for i in (1, 2, 3)},
    "4.squeeze": "MAM3.channel_attention.0",
    "4.expand": "MAM3.channel_attention.2",
    "5": "layer4",
    "6.squeeze": "MAM4.channel_attention.0",
    "6.expand": "MAM4.channel_attention.2",
}
HEADS = {
    "patterns": "spatial_attention",
    "neck.norm": "bn_neck",
    "neck.classifier": "classifier",
    "specific.classifiers.RGB": "visible_classifier",
    "specific.classifiers.TI": "infrared_classifier",
}
MEANS = {
    "specific.mean_RGB": "visible_classifier_.weight",
    "specific.mean_TI": "infrared_classifier_.weight",
}


def small_net(modalities: tuple[Modality, ...] = PAIR, config: MPANetConfig = SMALL) -> MPANet:
    torch.manual_seed(0)
    return METHOD.build(config, data_info(modalities))


def public_drawn(key: str, shape: tuple[int, ...]) -> NDArray[Any]:
    """What the public network has for one of our keys."""
    if key == "specific.rate":
        return torch.tensor(0.2).numpy()
    names = MEANS | {f"backbone.{k}": f"backbone.{v}" for k, v in PIECES.items()} | HEADS
    ours = max((k for k in names if key == k or key.startswith(f"{k}.")), key=len)
    return public_value(names[ours] + key.removeprefix(ours), shape)


def test_equals_the_public_network() -> None:
    """Its losses are float32 numbers, everything else agrees to nine digits."""
    golden, batch = golden_numbers("mpanet"), golden_batch()
    model = METHOD.build(MPANetConfig(), data_info(classes=SETTING.classes)).double()
    fill(model, public_drawn)
    with torch.no_grad():
        for modality in PAIR:
            found = METHOD.embed(model, only(batch, modality))
            near(found[:, ::64], golden[f"eval.{modality}"])
    model.train()
    METHOD.start_epoch(model, 0)
    terms = METHOD.loss(model, batch)
    near(terms["id"], golden["loss.id"], 1e-6)
    near(terms["centre"], golden["loss.centre"], 1e-6)
    near(terms["separation"], golden["loss.separation"] / 2, 1e-6)
    near(terms["specific"], golden["loss.specific_RGB"] + golden["loss.specific_TI"], 1e-6)
    near(terms["mutual"], 2.5 * golden["loss.mutual"], 1e-6)
    total = torch.stack(list(terms.values())).sum()
    near(total, golden["total"], 1e-6)
    assert model.specific is not None
    for modality in PAIR:
        mean = model.specific.get_buffer(f"mean_{modality}")
        near(mean[:, ::64], golden[f"mean.{modality}"], 1e-7)
    near(running_sum(model), golden["buffers.sum"])
    total.backward()
    near(gradient_norm(model), golden["grad.norm"], 1e-6)


@pytest.mark.parametrize("modalities", [("TI",), PAIR, MODALITIES])
def test_descriptor_and_losses_for_any_number_of_modalities(
    modalities: tuple[Modality, ...],
) -> None:
    model, batch = small_net(modalities), small_batch(modalities)
    terms = set(METHOD.loss(model.train(), batch))
    alone = {"id", "centre", "separation"}
    assert terms == (alone if len(modalities) == 1 else alone | {"specific", "mutual"})
    with torch.no_grad():
        assert METHOD.embed(model, batch).shape == (4, 7 * 512)


def test_one_modality_and_the_mean_of_two() -> None:
    model, batch = small_net(), small_batch()
    with torch.no_grad():
        one, two = (METHOD.embed(model, only(batch, m)) for m in PAIR)
        torch.testing.assert_close(METHOD.embed(model, batch), (one + two) / 2)
        model.config = SMALL.model_copy(update={"normalise": True})
        for side in (batch, only(batch, "TI")):
            lengths = METHOD.embed(model, side).norm(dim=1)
            torch.testing.assert_close(lengths, torch.ones(4))


def test_alleviation_mixes_the_map_with_its_instance_normalised_self() -> None:
    block = Alleviation(32)
    maps = 3 + 2 * torch.randn(2, 32, 4, 5)
    flat = maps.flatten(2)
    spread = flat.var(2, unbiased=False, keepdim=True)
    plain = ((flat - flat.mean(2, keepdim=True)) / (spread + 1e-5).sqrt()).reshape(maps.shape)
    with torch.no_grad():
        gate = torch.sigmoid(block.expand(torch.relu(block.squeeze(maps.mean((2, 3), True)))))
        torch.testing.assert_close(block(maps), gate * maps + (1 - gate) * plain)
        block.expand.weight.fill_(0)
        torch.testing.assert_close(block(maps), (maps + plain) / 2)


def test_mean_classifiers_follow_and_give_no_gradient() -> None:
    model, batch = small_net().train(), small_batch()
    specific = model.specific
    assert specific is not None
    with torch.no_grad():
        specific.classifiers["TI"].weight.add_(1)
    before = specific.get_buffer("mean_TI").clone()
    METHOD.start_epoch(model, 0)
    METHOD.loss(model, batch)["mutual"].backward()  # type: ignore[no-untyped-call]
    want = 0.8 * before + 0.2 * specific.classifiers["TI"].weight.detach()
    torch.testing.assert_close(specific.get_buffer("mean_TI"), want)
    assert not specific.get_buffer("mean_TI").requires_grad
    model.eval()
    METHOD.embed(model, batch)
    torch.testing.assert_close(specific.get_buffer("mean_TI"), want)


@pytest.mark.parametrize(("epoch", "rate"), [(0, 0.2), (98, 0.2), (99, 20 / 101), (139, 20 / 141)])
def test_the_rate_slows_down_late(epoch: int, rate: float) -> None:
    model = small_net()
    METHOD.start_epoch(model, epoch)
    assert model.specific is not None
    assert float(model.specific.rate) == pytest.approx(rate)


def test_the_mean_classifiers_are_part_of_the_weights() -> None:
    model, again = small_net().train(), small_net(config=SMALL)
    METHOD.loss(model, small_batch())
    again.load_state_dict(model.state_dict())
    assert again.specific is not None and model.specific is not None
    for modality in PAIR:
        name = f"mean_{modality}"
        assert torch.equal(again.specific.get_buffer(name), model.specific.get_buffer(name))


def test_switched_off_parts() -> None:
    bare = SMALL.model_copy(update={"patterns": 0, "alleviation": 0, "mutual": False})
    model = small_net(config=bare)
    assert set(METHOD.loss(model.train(), small_batch())) == {"id", "centre", "separation"}
    assert METHOD.embed(model, small_batch()).shape == (4, 512)
    assert not any(isinstance(m, Alleviation) for m in model.modules())


def test_recipes_are_the_two_public_configurations() -> None:
    regdb = resolve(INFO, "rgbnt201", "rgbnt201", "RGB>TI@regdb").recipe
    sysu = resolve(INFO, "rgbnt201-sysu", "rgbnt201", "RGB>NI@sysu").recipe
    assert (regdb.input.height, sysu.input.height) == (256, 384)
    assert (regdb.schedule.milestones, sysu.schedule.milestones) == ((110,), (80, 120))
    assert (regdb.config["normalise"], sysu.config["normalise"]) == (False, True)
    assert regdb.epochs == sysu.epochs == 140
