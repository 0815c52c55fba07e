"""UniCat: own losses for each modality, concatenation at test, recipes, and a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from baselines.shared.losses import batch_hard_triplet
from baselines.unicat.config import UniCatConfig
from baselines.unicat.info import INFO
from baselines.unicat.method import UniCat
from harness.spec.method import Batch, DataInfo
from harness.spec.modality import MODALITIES, Modality
from harness.spec.resolve import recipe_files, resolve
from tests.batches import batch
from tests.conftest import Harness

METHOD = UniCat()
SIZE = (64, 32)


def build(modalities: tuple[Modality, ...] = MODALITIES, **config: Any) -> Any:
    torch.manual_seed(0)
    options = UniCatConfig(**{"backbone": "test_resnet", **config})
    return METHOD.build(options, DataInfo(4, modalities, *SIZE, "none"))


@pytest.mark.parametrize("backbone", ["test_resnet", "test_vit"])
@pytest.mark.parametrize("count", [1, 2, 3])
def test_losses_are_the_mean_of_each_modalitys_own(count: int, backbone: str) -> None:
    modalities = MODALITIES[:count]
    whole = batch(modalities)
    got = METHOD.loss(build(modalities, backbone=backbone).train(), whole)
    model = build(modalities, backbone=backbone).train()
    entropy, triplet = [], []
    for m in modalities:
        before, _, logits = model.branches[m](whole.images[m])
        entropy.append(torch.nn.functional.cross_entropy(logits, whole.pids))
        triplet.append(batch_hard_triplet(before, whole.pids))
    torch.testing.assert_close(got["ce"], sum(entropy) / count)
    torch.testing.assert_close(got["triplet"], sum(triplet) / count)


def test_no_modality_learns_from_another() -> None:
    model = build().train()
    losses = METHOD.loss(model, batch())
    sum(losses.values()).backward()  # type: ignore[union-attr]
    want = {
        k: p.grad.clone() for k, p in model.branches["TI"].named_parameters() if p.grad is not None
    }
    model = build().train()
    other = batch()
    other.images["RGB"] += 1
    sum(METHOD.loss(model, other).values()).backward()  # type: ignore[union-attr]
    for key, parameter in model.branches["TI"].named_parameters():
        if parameter.grad is not None:
            torch.testing.assert_close(parameter.grad, want[key])


def test_images_that_are_absent_teach_nothing() -> None:
    """A classifier of TI that never saw TI keeps its weights."""
    model = build().train()
    whole = batch()
    whole.present["TI"][:] = False
    whole.images["TI"][:] = 0
    sum(METHOD.loss(model, whole).values()).backward()  # type: ignore[union-attr]
    assert not model.branches["TI"].neck.classifier.weight.grad.any()
    assert model.branches["RGB"].neck.classifier.weight.grad.any()


@pytest.mark.parametrize("descriptor", ["before", "after"])
def test_the_descriptor_is_the_concatenation_of_length_one(descriptor: str) -> None:
    model = build(descriptor=descriptor)
    got = METHOD.embed(model, batch())
    model.eval()
    parts = [model.branches[m](batch().images[m]) for m in MODALITIES]
    want = torch.cat([p[0 if descriptor == "before" else 1] for p in parts], 1)
    torch.testing.assert_close(got, torch.nn.functional.normalize(want))
    columns = METHOD.modality_columns(model)
    assert columns["TI"] == (2 * model.width, 3 * model.width) and columns["RGB"][0] == 0


def test_absent_modalities_leave_zero_columns() -> None:
    model = build()
    whole = batch()
    side = METHOD.embed(model, Batch({"RGB": whole.images["RGB"]}, {"RGB": whole.present["RGB"]},
                                     whole.pids))  # fmt: skip
    columns = METHOD.modality_columns(model)
    assert not side[:, columns["NI"][0] :].any()
    whole.images["TI"][0] = 0
    whole.present["TI"][0] = False
    rows = METHOD.embed(model, whole)
    assert not rows[0, slice(*columns["TI"])].any()
    assert rows[1, slice(*columns["TI"])].any()


def test_biases_learn_at_twice_the_rate() -> None:
    model = build()
    ((scale, biases),) = METHOD.lr_scales(model)
    assert scale == 2.0
    assert {id(p) for p in biases} == {
        id(p) for k, p in model.named_parameters() if k.endswith("bias")
    }


def test_the_official_recipes_are_those_of_the_authors() -> None:
    recipe = resolve(INFO, "rgbnt201", "rgbnt201", "full").recipe
    batch_size = recipe.sampler.identities * recipe.sampler.instances
    assert (batch_size, recipe.optimiser.lr, recipe.epochs) == (128, 0.032, 60)
    for name in set(recipe_files(INFO)) - {"smoke", "common"}:
        resolved = resolve(INFO, name, "rgbnt100", "full")
        assert resolved.recipe.track == "official"
        with torch.device("meta"):
            size = (resolved.recipe.input.height, resolved.recipe.input.width)
            net = METHOD.build(resolved.config, DataInfo(50, ("RGB",), *size, "none"))  # type: ignore[arg-type]
            assert METHOD.embed(net, Batch({"RGB": torch.zeros(1, 3, *size)},
                                           {"RGB": torch.ones(1, dtype=torch.bool)},
                                           torch.zeros(1))).shape == (1, net.width)  # fmt: skip


def test_a_run_from_the_command_line(harness: Harness, drawn: Path, tmp_path: Path) -> None:
    answer = harness(
        "run", "--method", "unicat", "--dataset", drawn, "--recipe", "smoke",
        "--set", "epochs=1", "--set", "input.height=64", "--set", "input.width=32",
        "--set", "backbone=test_resnet", "--out", tmp_path, "--json",
    )  # fmt: skip
    assert answer.code == 0, answer.err
