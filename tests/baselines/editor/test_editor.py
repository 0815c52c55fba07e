"""EDITOR beyond the golden configuration: selection, losses, switches, checkpoints, recipes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional

from baselines.editor.config import EditorConfig
from baselines.editor.info import INFO
from baselines.editor.losses import background_consistency, follow_centres
from baselines.editor.method import Editor
from baselines.editor.model import EditorNet
from baselines.editor.selection import frequency, highest, rolled_out
from harness.base.errors import CheckpointError
from harness.spec.method import Batch, DataInfo
from harness.spec.modality import MODALITIES, Modality
from harness.spec.resolve import resolve
from harness.training.loop import total_loss
from tests.conftest import Harness

METHOD = Editor()
SIZE = (64, 32)
NARROW: dict[str, Any] = {
    "depth": 2,
    "width": 32,
    "heads": 2,
    "drop_path": 0.0,
    "head_keep": 1,
    "frequency_keep": 2,
}


def build(modalities: tuple[Modality, ...] = MODALITIES, **changes: Any) -> EditorNet:
    torch.manual_seed(0)
    config = EditorConfig(**{**NARROW, **changes})
    return METHOD.build(config, DataInfo(5, modalities, *SIZE, "none", cameras=3))


def batch(modalities: tuple[Modality, ...] = MODALITIES, n: int = 4) -> Batch:
    images, present = {}, {}
    for modality in modalities:
        draw = torch.Generator().manual_seed(MODALITIES.index(modality))
        images[modality] = torch.randn(n, 3, *SIZE, generator=draw)
        present[modality] = torch.ones(n, dtype=torch.bool)
    return Batch(images, present, torch.arange(n) // 2, torch.arange(n) % 3)


def kept_by(net: EditorNet, given: Batch) -> tuple[dict[Modality, Tensor], Tensor]:
    with torch.no_grad():
        return net.eval().select(given.images, given.camids)


def test_of_equal_values_the_first_are_kept() -> None:
    values = torch.tensor([[1, 5, 3, 5, 5, 3.0], [0, 0, 0, 0, 0, 0]])
    want = [[0, 1, 0, 1, 0, 0], [1, 1, 0, 0, 0, 0]]
    assert highest(values, 2).int().tolist() == want
    assert highest(values, 9).all()


def test_attention_is_rolled_out_by_plain_products_of_matrices() -> None:
    draw = torch.Generator().manual_seed(0)
    attention = [torch.rand(2, 3, 6, 6, generator=draw).softmax(-1) for _ in range(4)]
    product = attention[3] @ attention[2] @ attention[1] @ attention[0]
    torch.testing.assert_close(rolled_out(attention), product[:, :, 0, 1:])


def test_the_brightest_patches_of_the_mean_image_are_kept() -> None:
    """By count of pixels above mid-grey, not by how bright they are."""
    images = {m: torch.full((1, 3, 32, 64), -0.1) for m in MODALITIES}
    images["RGB"][0, :, :16, :16] = 0.3  # all 256 pixels: 0.3 - 0.1 - 0.1 is above 0
    images["TI"][0, 0, 16:, 48:56] = 9.0  # 128 pixels, far brighter, in one channel
    images["NI"][0, :, 16:, 16:32] = 0.15  # never: 0.15 - 0.1 - 0.1 is below 0
    kept = frequency(images, 16, 16, 2)
    assert kept[0].nonzero().flatten().tolist() == [0, 7]


def test_the_choice_is_one_for_all_modalities_and_a_union() -> None:
    net, given = build(), batch()
    _, kept = kept_by(net, given)
    attention = {}
    with torch.no_grad():
        for m in MODALITIES:
            attention[m] = net.BACKBONE.base.with_attention(given.images[m], given.camids)[1]
    by_hand = frequency(given.images, 16, 16, 2)
    for found in attention.values():
        for head in rolled_out(found).unbind(1):
            by_hand[torch.arange(4), head.argmax(1)] = True
    assert torch.equal(kept, by_hand)
    assert bool(kept.any()) and not bool(kept.all())


def test_without_selection_every_patch_is_kept_and_nothing_is_background() -> None:
    net = build(selection=False)
    assert kept_by(net, batch())[1].all()
    assert float(METHOD.loss(net.train(), batch())["bcc"].detach()) == 0


def test_patches_left_out_change_nothing_after_the_selection() -> None:
    """The descriptor is the one of a sequence that holds the kept tokens alone."""
    net, given = build(), batch(n=1)
    tokens, kept = kept_by(net, given)
    whole = torch.cat([torch.ones(1, 1, dtype=torch.bool), kept], 1)
    short = {m: x[:, whole[0]] for m, x in tokens.items()}
    with torch.no_grad():
        refined, _ = net.FUSE_block(short, torch.ones_like(whole[:, whole[0]]))
        parts = [
            net.get_submodule(f"{name}_REDUCE")(
                torch.cat([refined[m][:, 0], refined[m][:, 1:].mean(1)], 1)
            )
            for m, name in zip(MODALITIES, ("RGB", "NIR", "TIR"), strict=True)
        ]
        torch.testing.assert_close(METHOD.embed(net, given), torch.cat(parts, 1))


def test_background_is_compared_where_nothing_is_kept() -> None:
    draw = torch.Generator().manual_seed(0)
    patches = {m: torch.randn(3, 5, 4, generator=draw) for m in MODALITIES}
    kept = torch.rand(3, 5, generator=draw) > 0.5
    left = {m: x * ~kept[..., None] for m, x in patches.items()}
    want = sum(
        functional.mse_loss(left[a], left[b])
        for a, b in (("RGB", "NI"), ("RGB", "TI"), ("NI", "TI"))
    )
    torch.testing.assert_close(background_consistency(patches, kept).mean(), want)


@pytest.mark.parametrize("pids", [[1, 1, 3, 3], [1, 3, 1, 3], [1, 1, 1, 3]])
def test_centres_follow_their_identity_in_any_order(pids: list[int]) -> None:
    """By hand, identity after identity; the authors cut the batch into equal blocks."""
    draw = torch.Generator().manual_seed(0)
    tokens = torch.randn(4, 6, generator=draw, requires_grad=True)
    centres = torch.randn(5, 6, generator=draw)
    before, labels = centres.clone(), torch.tensor(pids)
    unit = tokens.detach() / tokens.detach().norm(dim=1, keepdim=True)
    loss = follow_centres(centres, tokens, labels, 0.8)
    for pid in range(5):
        own = unit[labels == pid]
        want = 0.8 * own.mean(0) + 0.2 * before[pid] if len(own) else before[pid]
        torch.testing.assert_close(centres[pid], want)
    torch.testing.assert_close(loss, (unit - centres[labels]).square().mean())
    loss.backward()
    assert tokens.grad is not None and bool(tokens.grad.any()) and not centres.requires_grad


def test_centres_move_in_training_alone_and_are_saved() -> None:
    net = build()
    METHOD.embed(net, batch())
    name = "FUSE_block.memory_cls.NIR_centers"
    assert not net.state_dict()[name].any()
    METHOD.loss(net.train(), batch())
    moved = net.state_dict()[name].any(1)
    assert moved.tolist() == [True, True, False, False, False]


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({}, ["fused", "vit", "bcc", "ocfr"]),
        ({"supervision": "each"}, ["fused", "RGB", "NI", "TI", "bcc", "ocfr"]),
        ({"bcc": False}, ["fused", "vit", "ocfr"]),
        ({"ocfr": False}, ["fused", "vit", "bcc"]),
    ],
)
def test_the_terms_of_the_loss(changes: dict[str, Any], names: list[str]) -> None:
    net = build(**changes).train()
    found = METHOD.loss(net, batch())
    own = ("bcc", "ocfr")
    want = [f"{n}{p}" for n in names for p in (("",) if n in own else ("_id", "_triplet"))]
    assert list(found) == want
    total_loss(found).backward()
    idle = {k.partition(".")[0] for k, p in net.named_parameters() if p.grad is None}
    assert idle == (set() if "supervision" in changes else {"BACKBONE_BN", "BACKBONE_HEAD"})


def test_with_a_loss_for_each_modality_one_neck_normalises_each_by_itself() -> None:
    net = build(supervision="each").train()
    METHOD.loss(net, batch())
    assert int(net.BACKBONE_BN.num_batches_tracked) == 3
    assert not hasattr(net, "AL_HEAD")


def test_necks_have_a_trained_shift() -> None:
    assert build().FUSE_BN.bias.requires_grad


def test_an_absent_modality_is_zero_for_the_selection_too() -> None:
    net, given = build(), batch()
    zero = given._replace(images=given.images | {"RGB": torch.zeros(4, 3, *SIZE)})
    partly = given._replace(images={m: given.images[m] for m in ("NI", "TI")})
    with torch.no_grad():
        torch.testing.assert_close(METHOD.embed(net, partly), METHOD.embed(net, zero))


@pytest.mark.parametrize("modalities", [("TI",), ("RGB", "TI")])
def test_fewer_modalities(modalities: tuple[Modality, ...]) -> None:
    net = build(modalities)
    terms = METHOD.loss(net.train(), batch(modalities))
    assert torch.isfinite(total_loss(terms))
    with torch.no_grad():
        assert METHOD.embed(net, batch(modalities)).shape == (4, 32 * len(modalities))


def test_the_authors_checkpoint_is_taken_and_others_are_refused() -> None:
    state = dict(build().state_dict())
    theirs = state | {
        "BACKBONE.base.fc.bias": torch.zeros(1000),
        "FREQ_INDEX.DWT.h0_col": torch.zeros(1, 1, 2, 1),
    }
    assert METHOD.import_state(theirs).keys() == state.keys()
    for key in ("RGB.base.cls_token", "TPM.Ro_start.Rotation.norm1.bias", "FUSE_block.normX.bias"):
        with pytest.raises(CheckpointError, match="bear no name of EDITOR, such as") as error:
            METHOD.import_state({key: torch.zeros(1)})
        assert key in error.value.seen


@pytest.mark.parametrize(
    ("name", "size", "epochs", "warmup", "supervision"),
    [
        ("rgbnt201", (256, 128), 70, 10, "joint"),
        ("rgbnt201-b", (256, 128), 70, 10, "each"),
        ("market1501-mm", (256, 128), 70, 10, "joint"),
        ("rgbnt100", (128, 256), 70, 10, "each"),
        ("rgbnt100-a", (128, 256), 70, 10, "joint"),
        ("msvr310", (128, 256), 1000, 100, "each"),
        ("msvr310-a", (128, 256), 1000, 100, "joint"),
    ],
)
def test_the_official_recipes_are_the_authors_configurations(
    name: str, size: tuple[int, int], epochs: int, warmup: int, supervision: str
) -> None:
    recipe, config = resolve(INFO, name, name.removesuffix("-a"), "full")
    assert recipe.track == "official" and (recipe.epochs, recipe.optimiser.lr) == (epochs, 0.001)
    assert (recipe.input.height, recipe.input.width) == size
    assert (recipe.sampler.identities, recipe.sampler.instances) == (8, 16)
    assert recipe.optimiser.name == "sgd" and not recipe.optimiser.nesterov
    assert (recipe.optimiser.weight_decay, recipe.optimiser.bias_lr_factor) == (1e-4, 2.0)
    schedule = recipe.schedule
    assert (schedule.kind, schedule.warmup_epochs) == ("cosine_to_floor", warmup)
    assert (schedule.warmup_start, schedule.floor, schedule.noise) == (0.01, 0.001, "none")
    assert recipe.augmentation.erase_fill == "noise" and recipe.input.train_resize == "bicubic"
    assert config == EditorConfig(supervision=supervision, normalise=True)


def test_a_run_and_its_weights_under_the_authors_names(harness: Harness, tmp_path: Path) -> None:
    small = ("depth=1", "config.width=32", "heads=2", "input.height=64", "input.width=32")
    sets = [word for change in small for word in ("--set", change)]
    words = ("--method", "editor", "--recipe", "smoke", *sets)
    run = harness("run", *words, "--set", "epochs=1", "--out", tmp_path, "--json")
    assert run.code == 0, run.err
    weights = next(tmp_path.glob("*/*/weights.safetensors"))
    state = {f"module.{k}": v for k, v in load_file(weights).items()}
    state["module.BACKBONE.base.fc.weight"] = torch.zeros(1000, 32)
    torch.save({"state_dict": state}, tmp_path / "EDITORbest.pth")
    evaluate = ("evaluate", "--checkpoint", tmp_path / "EDITORbest.pth", *words, "--json")
    again = harness(*evaluate)
    assert again.code == 0, again.out + again.err
    assert again.json["metrics"] == run.json["metrics"]
