"""PFNet beyond the golden configuration: fewer modalities, absent ones, checkpoints, recipes."""

from __future__ import annotations

import pytest
import torch

from baselines.pfnet.config import PFNetConfig
from baselines.pfnet.info import INFO
from baselines.pfnet.method import PFNet
from baselines.pfnet.model import PFNetwork, branch_sums, descriptor_order
from harness.base.errors import CheckpointError
from harness.spec.method import DataInfo
from harness.spec.modality import MODALITIES, Modality
from harness.spec.resolve import resolve
from tests.batches import batch

SETS: dict[tuple[Modality, ...], tuple[tuple[Modality, ...], ...]] = {
    MODALITIES: (("TI",), ("RGB", "TI"), ("RGB",), ("RGB", "NI"), ("NI",)),
    ("RGB", "TI"): (("TI",), ("RGB", "TI"), ("RGB",)),
    ("RGB", "NI"): (("RGB",), ("RGB", "NI"), ("NI",)),
    ("NI", "TI"): (("TI",), ("NI", "TI"), ("NI",)),
    ("NI",): (("NI",),),
}


def build(modalities: tuple[Modality, ...] = MODALITIES) -> PFNetwork:
    torch.manual_seed(0)
    config = PFNetConfig(backbone="resnet10t")
    return PFNet().build(config, DataInfo(5, modalities, 64, 32, "none"))


@pytest.mark.parametrize("modalities", SETS, ids="+".join)
def test_branches_of_fewer_modalities(modalities: tuple[Modality, ...]) -> None:
    order = SETS[modalities]
    assert descriptor_order(modalities) == order
    assert sorted(branch_sums(modalities)) == sorted(order)
    net = build(modalities)
    assert PFNet().embed(net.eval(), batch(modalities)).shape == (4, 512 * len(order))
    terms = PFNet().loss(net.train(), batch(modalities))
    assert all(torch.isfinite(t) for t in terms.values())


def test_a_sum_branch_sees_the_sum_of_the_maps() -> None:
    net, given = build().eval(), batch()
    added = net.backbones["RGB"](given.images["RGB"]) + net.backbones["TI"](given.images["TI"])
    found = torch.cat(net.branches["RGB_TI"](added), 1)
    torch.testing.assert_close(PFNet().embed(net, given)[:, 512:1024], found)


def test_columns_of_one_modality() -> None:
    columns = PFNet().modality_columns(build())
    assert columns == {"TI": (0, 512), "RGB": (1024, 1536), "NI": (2048, 2560)}


def test_an_absent_modality_is_zero_after_normalisation() -> None:
    net, given = build().eval(), batch()
    zero = given._replace(images=given.images | {"TI": torch.zeros(4, 3, 64, 32)})
    partly = batch(("RGB", "NI"))
    partly = partly._replace(images={m: given.images[m] for m in partly.images})
    torch.testing.assert_close(PFNet().embed(net, partly), PFNet().embed(net, zero))


def test_parameters_are_those_printed_for_the_authors_network() -> None:
    with torch.device("meta"):
        net = PFNetwork(PFNetConfig(), DataInfo(171, MODALITIES, 256, 128, "none"))
    assert round(sum(p.numel() for p in net.parameters()) / 1e6, 1) == 81.2


def test_own_names_are_left_and_foreign_ones_are_named() -> None:
    state = {"classifier.bias": torch.zeros(5)}
    assert PFNet().import_state(state) is state
    with pytest.raises(CheckpointError, match=r"REM\.0"):
        PFNet().import_state(
            {"module.classifier_all.bias": torch.zeros(5), "module.REM.0.param": torch.zeros(1)}
        )


@pytest.mark.parametrize("name", ["rgbnt201", "market1501-mm"])
def test_the_official_recipe_is_the_authors_configuration(name: str) -> None:
    recipe = resolve(INFO, name, name, "full").recipe
    assert recipe.track == "official" and recipe.epochs == 60
    assert (recipe.sampler.identities, recipe.sampler.instances) == (2, 4)
    assert (recipe.optimiser.name, recipe.optimiser.lr, recipe.optimiser.nesterov) == (
        "sgd",
        1e-3,
        True,
    )
    assert recipe.schedule.milestones == (20, 40)
