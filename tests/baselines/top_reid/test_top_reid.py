"""TOP-ReID beyond the golden configuration: absent modalities, switches, checkpoints, recipes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from safetensors.torch import load_file

from baselines.top_reid.config import TopReidConfig
from baselines.top_reid.info import INFO
from baselines.top_reid.method import TopReid
from baselines.top_reid.model import TopReidNet
from harness.base.errors import CheckpointError
from harness.spec.method import Batch, DataInfo
from harness.spec.modality import MODALITIES, Modality
from harness.spec.resolve import recipe_files, resolve
from harness.training.loop import total_loss
from tests.conftest import Harness

METHOD = TopReid()
SIZE = (64, 32)
NARROW: dict[str, Any] = {"depth": 2, "width": 32, "heads": 2, "drop_path": 0.0}


def build(
    modalities: tuple[Modality, ...] = MODALITIES, cameras: int = 3, **changes: Any
) -> TopReidNet:
    torch.manual_seed(0)
    config = TopReidConfig(**{**NARROW, **changes})
    return METHOD.build(config, DataInfo(5, modalities, *SIZE, "none", cameras=cameras))


def batch(modalities: tuple[Modality, ...] = MODALITIES, n: int = 4) -> Batch:
    images, present = {}, {}
    for modality in modalities:
        draw = torch.Generator().manual_seed(MODALITIES.index(modality))
        images[modality] = torch.randn(n, 3, *SIZE, generator=draw)
        present[modality] = torch.ones(n, dtype=torch.bool)
    return Batch(images, present, torch.arange(n) // 2, torch.arange(n) % 3)


def absent(given: Batch, modality: Modality, rows: list[int]) -> Batch:
    images = given.images | {modality: given.images[modality].clone()}
    present = given.present | {modality: given.present[modality].clone()}
    images[modality][rows] = 0
    present[modality][rows] = False
    return given._replace(images=images, present=present)


@pytest.mark.parametrize("gone", [("RGB",), ("NI",), ("RGB", "TI"), ("NI", "TI")])
def test_absent_tokens_are_the_mean_of_what_the_others_tell(gone: tuple[Modality, ...]) -> None:
    net, given = build().eval(), batch()
    left = [m for m in MODALITIES if m not in gone]
    seen = {m: net.get_submodule(m).base(given.images[m], given.camids) for m in left}
    tokens = dict(seen)
    for target in gone:
        told = [net.CRM(seen[m], m, target) for m in left]
        tokens[target] = sum(told) / len(told)
    want = torch.cat(list(net.TPM(tokens).values()), 1)
    side = given._replace(
        images={m: given.images[m] for m in left}, present={m: given.present[m] for m in left}
    )
    with torch.no_grad():
        torch.testing.assert_close(METHOD.embed(net, side), want)


def test_rows_lack_different_modalities_and_do_not_look_at_each_other() -> None:
    net, whole = build(), batch()
    given = absent(absent(absent(whole, "RGB", [0]), "TI", [1]), "NI", [1])
    with torch.no_grad():
        found = METHOD.embed(net, given)
        for row, gone in ((0, ("RGB",)), (1, ("NI", "TI")), (2, ())):
            left = [m for m in MODALITIES if m not in gone]
            alone = Batch(
                {m: whole.images[m][row : row + 1] for m in left},
                {m: torch.ones(1, dtype=torch.bool) for m in left},
                torch.tensor([-1]),
                whole.camids[row : row + 1],
            )
            torch.testing.assert_close(found[row : row + 1], METHOD.embed(net, alone))


def test_what_an_absent_image_shows_does_not_matter() -> None:
    net, given = build(), absent(batch(), "NI", [0, 2])
    other = given._replace(images=given.images | {"NI": given.images["NI"] + 1})
    other.images["NI"][[1, 3]] -= 1
    with torch.no_grad():
        torch.testing.assert_close(METHOD.embed(net, given), METHOD.embed(net, other))


@pytest.mark.parametrize("changes", [{"crm": False}, {"crm": False, "tpm": False}])
def test_without_crm_an_absent_image_is_grey(changes: dict[str, Any]) -> None:
    net, given = build(**changes), batch()
    zero = given._replace(images=given.images | {"TI": torch.zeros(4, 3, *SIZE)})
    partly = given._replace(
        images={m: given.images[m] for m in ("RGB", "NI")},
        present={m: given.present[m] for m in ("RGB", "NI")},
    )
    with torch.no_grad():
        torch.testing.assert_close(METHOD.embed(net, partly), METHOD.embed(net, zero))


def test_in_training_a_pair_learns_from_samples_with_both() -> None:
    net, given = build().train(), absent(batch(), "TI", [0])
    errors = net(given.images, given.present, given.camids).remade
    assert len(errors) == 6
    want = sum(e[1:].mean() if "TI" in pair else e.mean() for pair, e in errors.items())
    torch.testing.assert_close(METHOD.loss(net, given)["crm"], want)
    nobody = absent(batch(), "TI", [0, 1, 2, 3])
    assert torch.isfinite(total_loss(METHOD.loss(net, nobody)))


@pytest.mark.parametrize(
    ("changes", "terms", "width"),
    [
        ({}, ["tpm", "vit"], 96),
        ({"supervision": "each"}, ["tpm", "RGB", "NI", "TI"], 96),
        ({"crm": False, "tpm": False}, ["vit"], 96),
        ({"crm": False, "tpm": False, "supervision": "each"}, ["RGB", "NI", "TI"], 96),
    ],
)
def test_the_trained_heads(changes: dict[str, Any], terms: list[str], width: int) -> None:
    net = build(**changes).train()
    found = METHOD.loss(net, batch())
    heads = [f"{name}_{part}" for name in terms for part in ("id", "triplet")]
    assert list(found) == heads + (["crm"] if changes.get("crm", True) else [])
    total_loss(found).backward()
    idle = {
        k.partition(".")[0] for k, p in net.named_parameters() if p.requires_grad and p.grad is None
    }
    joint = changes.get("supervision", "joint") == "joint"
    assert idle == (set(MODALITIES) if joint else {"bottleneck_ViT", "classifier_ViT"})
    with torch.no_grad():
        assert METHOD.embed(net, batch()).shape == (4, width)


def test_all_necks_move_their_statistics_whichever_heads_are_trained() -> None:
    net = build().train()
    METHOD.loss(net, batch())
    counters = {k: int(v) for k, v in net.state_dict().items() if k.endswith("_tracked")}
    assert len(counters) == 5 and set(counters.values()) == {1}


def test_weights_of_the_losses() -> None:
    plain = METHOD.loss(build().train(), batch())
    heavy = METHOD.loss(build(id_weight=0.25, triplet_weight=2.0).train(), batch())
    torch.testing.assert_close(heavy["tpm_id"], 0.25 * plain["tpm_id"])
    torch.testing.assert_close(heavy["vit_triplet"], 2 * plain["vit_triplet"])
    torch.testing.assert_close(heavy["crm"], plain["crm"])


def test_one_vit_for_all_modalities() -> None:
    own, one = build(), build(streams="shared")
    base = sum(p.numel() for p in own.get_submodule("RGB.base").parameters())
    count = [sum(p.numel() for p in net.parameters()) for net in (own, one)]
    assert count[0] - count[1] == 2 * base
    same = batch()
    same.images["TI"] = same.images["RGB"]
    columns = build(streams="shared", tpm=False, crm=False)
    with torch.no_grad():
        found = METHOD.embed(columns, same)
    torch.testing.assert_close(found[:, :32], found[:, 64:])


def test_the_baseline_alone_has_columns_of_one_modality() -> None:
    assert METHOD.modality_columns(build()) == {}
    columns = METHOD.modality_columns(build(tpm=False, crm=False))
    assert columns == {"RGB": (0, 32), "NI": (32, 64), "TI": (64, 96)}


def test_fusion_layers_start_as_asked() -> None:
    def spread(net: TopReidNet) -> float:
        return float(net.get_submodule("TPM.Ro_start.Rotation.mlp.fc1").weight.detach().std())

    # PyTorch's default is uniform within 1 / sqrt(32), whose deviation is that over sqrt(3).
    assert spread(build()) == pytest.approx((32 * 3) ** -0.5, rel=0.05)
    assert spread(build(fusion_init="trunc_normal")) == pytest.approx(0.02, rel=0.05)


def test_crm_without_tpm_is_refused() -> None:
    with pytest.raises(ValidationError, match="crm = true needs tpm = true"):
        TopReidConfig(tpm=False)


def test_the_authors_checkpoint_is_taken() -> None:
    net = build()
    state = dict(net.state_dict())
    theirs = state | {"RGB.base.fc.weight": torch.zeros(1000, 32)}
    assert METHOD.import_state(theirs).keys() == state.keys()
    baseline = build(tpm=False, crm=False)
    renamed = {k.replace("_ViT.", ".", 1): v for k, v in baseline.state_dict().items()}
    assert "bottleneck.weight" in renamed
    assert METHOD.import_state(renamed).keys() == baseline.state_dict().keys()


def test_a_checkpoint_of_something_else_is_refused_in_a_sentence() -> None:
    for key in (
        "BACKBONE.base.cls_token",
        "RGB_backbone.base.cls_token",
        "TPM.Rotation.norm1.bias",
    ):
        with pytest.raises(CheckpointError, match="bear no name of TOP-ReID, such as") as error:
            METHOD.import_state({key: torch.zeros(1)})
        assert key in error.value.seen and "2024" in error.value.do


@pytest.mark.parametrize(
    ("name", "lr", "epochs", "warmup", "supervision"),
    [
        ("rgbnt201", 0.009, 120, 10, "joint"),
        ("rgbnt100", 0.009, 120, 10, "each"),
        ("msvr310", 0.001, 1000, 100, "each"),
    ],
)
def test_the_official_recipes_are_the_authors_configurations(
    name: str, lr: float, epochs: int, warmup: int, supervision: str
) -> None:
    assert set(recipe_files(INFO)) >= {"rgbnt201", "rgbnt100", "msvr310", "smoke"}
    recipe, config = resolve(INFO, name, name, "full")
    assert recipe.track == "official" and (recipe.epochs, recipe.optimiser.lr) == (epochs, lr)
    assert (recipe.input.height, recipe.input.width) == (256, 128)
    assert (recipe.sampler.identities, recipe.sampler.instances) == (8, 16)
    assert recipe.optimiser.name == "sgd" and not recipe.optimiser.nesterov
    assert (recipe.optimiser.weight_decay, recipe.optimiser.bias_lr_factor) == (1e-4, 2.0)
    schedule = recipe.schedule
    assert (schedule.kind, schedule.warmup_epochs) == ("cosine_to_floor", warmup)
    assert (schedule.warmup_start, schedule.floor, schedule.noise) == (0.01, 0.001, "none")
    assert recipe.input.mean == recipe.input.std == (0.5, 0.5, 0.5)
    assert recipe.augmentation.erase_fill == "noise" and recipe.input.train_resize == "bicubic"
    assert isinstance(config, TopReidConfig) and config.supervision == supervision
    assert config == TopReidConfig(supervision=config.supervision, normalise=True)


def test_a_run_from_training_to_missing_modalities(harness: Harness, tmp_path: Path) -> None:
    small = ("depth=1", "config.width=32", "heads=2", "input.height=64", "input.width=32")
    sets = [word for change in small for word in ("--set", change)]
    words = ("--method", "top-reid", "--recipe", "smoke", *sets)
    run = harness("run", *words, "--set", "epochs=1", "--out", tmp_path, "--json")
    assert run.code == 0, run.err
    folder = next(tmp_path.glob("*/*/weights.safetensors")).parent
    found = harness("evaluate", "--run", folder, "--protocol", "missing", "--json")
    assert found.code == 0, found.err
    results = {r["protocol"]: r for r in found.json["results"]}
    assert len(results) == 6
    assert {r["missing_policy"] for r in results.values()} == {"impute"}
    assert len({r["metrics"]["mAP"] for r in results.values()}) > 1
    # The same weights as the authors' code would save them, with what theirs has beside ours.
    state = {f"module.{k}": v for k, v in load_file(folder / "weights.safetensors").items()}
    state["module.NI.base.fc.weight"] = torch.zeros(1000, 32)
    torch.save(state, tmp_path / "TOPReIDbest.pth")
    evaluate = ("evaluate", "--checkpoint", tmp_path / "TOPReIDbest.pth", *words)
    again = harness(*evaluate, "--protocol", "-TI", "--json")
    assert again.code == 0, again.out + again.err
    assert again.json["metrics"] == results["-TI"]["metrics"]
    wrong = harness(*evaluate, "--classes", "7", "--json")
    assert (
        wrong.code == 2 and "RGB.classifier.weight (24x32 in the file, 7x32" in wrong.error["seen"]
    )
