"""HAMNet: fusion weights and the collaboration loss by their definitions, absences, recipes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from baselines.hamnet.config import HAMNetConfig
from baselines.hamnet.info import INFO
from baselines.hamnet.losses import collaboration
from baselines.hamnet.method import HAMNet
from baselines.hamnet.model import HAMNetwork, fusion_weights
from harness.spec.method import Batch, DataInfo
from harness.spec.modality import MODALITIES, Modality
from harness.spec.resolve import resolve
from tests.batches import batch


def draws(count: int, *shape: int) -> dict[Modality, Tensor]:
    rng = torch.Generator().manual_seed(0)
    kind = torch.float64
    return {m: torch.rand(shape, generator=rng, dtype=kind) for m in MODALITIES[:count]}


def build(modalities: tuple[Modality, ...] = MODALITIES, **options: Any) -> HAMNetwork:
    torch.manual_seed(0)
    config = HAMNetConfig(**{"backbone": "resnet10t", **options})
    return HAMNet().build(config, DataInfo(5, modalities, 64, 32, "none"))


@pytest.mark.parametrize("count", [1, 2, 3])
def test_weights_are_a_sum_over_classes(count: int) -> None:
    heat = draws(count, 2, 4, 3, 2)
    found = fusion_weights(heat)
    maps = {m: h.numpy() for m, h in heat.items()}
    for i in range(2):
        whole = np.max([h[i] for h in maps.values()], axis=0)
        for modality, h in maps.items():
            want = 0.0
            for c in range(4):
                share = whole[c].sum() / whole.sum()
                want += share * h[i, c].sum() / sum(o[i, c].sum() for o in maps.values())
            assert found[modality][i].item() == pytest.approx(want, rel=1e-12)
    torch.testing.assert_close(sum(found.values()), torch.ones(2, dtype=torch.float64))


def test_an_unlit_modality_has_no_weight() -> None:
    heat = draws(3, 2, 4, 3, 2)
    heat["NI"][0] = 0
    found = fusion_weights(heat)
    assert found["NI"][0] == 0 and found["NI"][1] > 0
    assert (found["RGB"] + found["TI"])[0].item() == pytest.approx(1)


def test_two_modalities_give_one_minus_the_cosine() -> None:
    scores = draws(2, 5, 7)
    cosine = torch.cosine_similarity(scores["RGB"], scores["NI"])
    torch.testing.assert_close(collaboration(scores), (1 - cosine).sum())


def test_three_modalities_are_multiplied() -> None:
    scores = draws(3, 5, 7)
    want = 5.0
    for i in range(5):
        rows = [s[i].numpy() / np.linalg.norm(s[i].numpy()) for s in scores.values()]
        want -= float((rows[0] * rows[1] * rows[2]).sum())
    assert collaboration(scores).item() == pytest.approx(want, rel=1e-12)


def test_agreeing_on_one_class_costs_nothing() -> None:
    sure = torch.eye(4, dtype=torch.float64) * 9
    assert collaboration({m: sure for m in MODALITIES}).item() == pytest.approx(0, abs=1e-12)
    assert collaboration({"RGB": torch.randn(3, 4)}).item() == 0


@pytest.mark.parametrize("modalities", [("TI",), ("RGB", "NI"), ("NI", "TI"), MODALITIES])
def test_any_modalities(modalities: tuple[Modality, ...]) -> None:
    net, given = build(modalities), batch(modalities)
    terms = HAMNet().loss(net.train(), given)
    assert set(terms) == {"ce", "triplet"} | ({"hc"} if len(modalities) > 1 else set())
    found = HAMNet().embed(net.eval(), given)
    assert found.shape == (4, 512)
    torch.testing.assert_close(found.norm(dim=1), torch.ones(4))


def test_the_descriptor_is_the_weighted_sum_of_normalised_features() -> None:
    net, given = build().eval(), batch()
    with torch.no_grad():
        parts = {m: net.streams[m](given.images[m]) for m in MODALITIES}
        weights = fusion_weights({m: lit for m, (_, lit) in parts.items()})
        fused = sum(weights[m][:, None] * feature for m, (feature, _) in parts.items())
        found = HAMNet().embed(net, given)
    torch.testing.assert_close(found, torch.nn.functional.normalize(fused))


def test_pixels_of_an_absent_image_are_not_looked_at() -> None:
    net, given = build().eval(), batch()
    present = given.present | {"TI": torch.tensor([False, True, True, True])}
    other = given.images | {"TI": given.images["TI"].roll(1, 0)}
    one, two = (
        HAMNet().embed(net, Batch(images, present, given.pids)) for images in (given.images, other)
    )
    torch.testing.assert_close(one[0], two[0])
    assert not torch.allclose(one[1], two[1])


def test_weights_of_the_loss() -> None:
    net, given = build(weight_hc=0.5).train(), batch()
    with torch.no_grad():
        terms = HAMNet().loss(net, given)
        out = net(given.images, given.present)
    # the second forward has normalised the same batch by the same numbers
    torch.testing.assert_close(terms["hc"], 0.5 * collaboration(out.scores))
    entropies = [
        torch.nn.functional.cross_entropy(s, given.pids, label_smoothing=0.1)
        for s in (*out.scores.values(), out.fused_scores)
    ]
    torch.testing.assert_close(terms["ce"], torch.stack(entropies).sum())


@pytest.mark.parametrize(
    ("name", "size"), [("rgbnt201", (256, 128)), ("rgbnt100", (128, 256)), ("rgbn300", (128, 256))]
)
def test_official_recipes(name: str, size: tuple[int, int]) -> None:
    recipe = resolve(INFO, name, name, "full").recipe
    assert recipe.track == "official" and recipe.epochs == 120
    assert (recipe.input.height, recipe.input.width) == size
    assert (recipe.sampler.identities, recipe.sampler.instances) == (8, 4)
    assert (recipe.optimiser.name, recipe.optimiser.lr) == ("adam", 3.5e-4)
    assert recipe.schedule.milestones == (40, 70) and recipe.schedule.warmup_epochs == 10


def test_parameters() -> None:
    with torch.device("meta"):
        net = HAMNetwork(HAMNetConfig(), DataInfo(171, MODALITIES, 256, 128, "none"))
    assert round(sum(p.numel() for p in net.parameters()) / 1e6, 2) == 71.94
