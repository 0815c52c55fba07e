"""The ViT of TOP-ReID and EDITOR: timm's numbers, the camera, positions, and public weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import timm
import torch
from safetensors.torch import save_file
from torch import Tensor

from baselines.shared.reid_vit import HUB, ReidViT, load_vit, patch_grid, resized_positions
from baselines.shared.vit_config import VitConfig
from harness.base.errors import CheckpointError, PretrainedError, ProtocolError, RecipeError

SIZE = (64, 32)
CONFIG = VitConfig(depth=3, width=32, heads=4, drop_path=0.0)


def build(size: tuple[int, int] = SIZE, cameras: int = 0, **changes: Any) -> ReidViT:
    torch.manual_seed(0)
    return ReidViT(CONFIG.model_copy(update=changes), size, cameras).eval()


def images(n: int = 2, size: tuple[int, int] = SIZE) -> Tensor:
    return torch.randn(n, 3, *size, generator=torch.Generator().manual_seed(1))


def public(**changes: Any) -> dict[str, Tensor]:
    """The state dict of timm's ViT of the same shape, made for square images."""
    torch.manual_seed(2)
    shape = {"embed_dim": 32, "depth": 3, "num_heads": 4, "num_classes": 7, "img_size": 64}
    model = timm.create_model("vit_base_patch16_224", **{**shape, **changes})
    return {k: v.detach().clone() for k, v in model.state_dict().items()}


def test_without_cameras_it_is_timms_network() -> None:
    theirs = timm.create_model(
        "vit_base_patch16_224", embed_dim=32, depth=3, num_heads=4, img_size=SIZE, num_classes=0
    ).eval()
    ours = build()
    assert {k: v.shape for k, v in ours.state_dict().items()} == {
        k: v.shape for k, v in theirs.state_dict().items()
    }
    theirs.load_state_dict(ours.state_dict())
    torch.testing.assert_close(ours(images()), theirs.forward_features(images()))


def test_every_token_gets_the_cameras_embedding() -> None:
    ours, camids = build(cameras=3), torch.tensor([2, 0])
    assert ours.sie_embed is not None
    found = ours(images(), camids)
    plain = build()
    state = {k: v for k, v in ours.state_dict().items() if k != "sie_embed"}
    for row, camera in enumerate(camids.tolist()):
        moved = ours.pos_embed + 3.0 * ours.sie_embed[camera]
        plain.load_state_dict(state | {"pos_embed": moved.detach()})
        torch.testing.assert_close(found[row], plain(images())[row])


@pytest.mark.parametrize(
    "without", [build(cameras=3, sie_camera=False), build(cameras=1), build(cameras=0)]
)
def test_without_cameras_nothing_is_added_or_kept(without: ReidViT) -> None:
    assert without.sie_embed is None and "sie_embed" not in without.state_dict()
    torch.testing.assert_close(without(images(), torch.tensor([1, 0])), build()(images()))


def test_a_camera_that_is_not_told_is_an_error() -> None:
    with pytest.raises(ProtocolError, match="camera") as error:
        build(cameras=3)(images())
    assert "config.sie_camera=false" in error.value.do


def test_attention_in_the_open_gives_the_same_tokens() -> None:
    ours = build(cameras=2)
    tokens, attention = ours.with_attention(images(), torch.tensor([1, 0]))
    torch.testing.assert_close(tokens, ours(images(), torch.tensor([1, 0])))
    assert [a.shape for a in attention] == 3 * [torch.Size([2, 4, 9, 9])]
    for probabilities in attention:
        torch.testing.assert_close(probabilities.sum(-1), torch.ones(2, 4, 9))


def test_overlapping_patches() -> None:
    assert patch_grid((256, 128), 16, 12) == (21, 10)
    assert build(stride=12)(images()).shape == (2, 1 + 5 * 2, 32)


def test_images_smaller_than_a_patch_are_refused() -> None:
    with pytest.raises(RecipeError, match="8x32"):
        build((8, 32))


def test_stochastic_depth_grows_from_zero() -> None:
    blocks = build(drop_path=0.1).blocks
    rates = [getattr(b.drop_path1, "drop_prob", 0.0) for b in blocks]
    assert rates == pytest.approx([0.0, 0.05, 0.1])


def test_positions_are_resized_between_centres_without_antialiasing() -> None:
    """Two rows of four from a grid of four by four: each is the mean of two neighbouring rows."""
    square = torch.arange(32.0).reshape(1, 16, 2)
    found = resized_positions(torch.cat([torch.full((1, 1, 2), -5.0), square], 1), (2, 4))
    rows = square.reshape(4, 4, 2)
    want = torch.stack([(rows[0] + rows[1]) / 2, (rows[2] + rows[3]) / 2]).reshape(1, 8, 2)
    torch.testing.assert_close(found[:, 1:], want)
    assert (found[:, 0] == -5).all()


def test_positions_of_eight_from_sixteen_look_at_two_neighbours_alone() -> None:
    """timm's bicubic, antialiased resizing looks at more: a lone spike would spread."""
    spike = torch.zeros(1, 1 + 64, 1)
    spike[0, 1] = 1
    found = resized_positions(spike, (2, 8))[0, 1:, 0].reshape(2, 8)
    assert not found.any()  # between rows 1 and 2, and between 5 and 6; row 0 is not looked at


@pytest.mark.parametrize("wrapped", [None, "model", "state_dict"])
@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
def test_public_weights_are_loaded_and_their_classifier_is_not(
    tmp_path: Path, suffix: str, wrapped: str | None
) -> None:
    state, path = public(), tmp_path / f"weights{suffix}"
    if suffix == ".pth":
        torch.save(state if wrapped is None else {wrapped: state}, path)
    else:
        save_file(state, path)
    one, two = build(cameras=3), build()
    kept = one.sie_embed.detach().clone()
    load_vit([one, two], str(path))
    for ours in (one, two):
        found = ours.state_dict()
        torch.testing.assert_close(
            found["blocks.2.mlp.fc1.weight"], state["blocks.2.mlp.fc1.weight"]
        )
        torch.testing.assert_close(
            found["pos_embed"], resized_positions(state["pos_embed"], (4, 2))
        )
    assert torch.equal(one.sie_embed, kept)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda s: s.pop("blocks.1.attn.qkv.bias"), "1 missing: blocks.1.attn.qkv.bias"),
        (lambda s: s.update({"norm.scale": torch.ones(32)}), "1 unexpected: norm.scale"),
        (lambda s: s.update({"cls_token": torch.zeros(1, 1, 8)}), "cls_token (1x1x8 in the file"),
        (lambda s: s.pop("pos_embed"), "missing: pos_embed"),
        (lambda s: s.update({"pos_embed": torch.zeros(1, 12, 32)}), "pos_embed (1x12x32"),
    ],
)
def test_a_file_that_does_not_fit_names_the_keys(tmp_path: Path, change: Any, words: str) -> None:
    state = public()
    change(state)
    save_file(state, tmp_path / "weights.safetensors")
    with pytest.raises(CheckpointError) as error:
        load_vit([build()], str(tmp_path / "weights.safetensors"))
    assert words in error.value.seen and "timm" in error.value.expected


def test_a_deeper_network_is_another_one(tmp_path: Path) -> None:
    save_file(public(depth=4), tmp_path / "weights.safetensors")
    with pytest.raises(CheckpointError, match=r"unexpected: blocks\.3"):
        load_vit([build()], str(tmp_path / "weights.safetensors"))


def test_no_file_and_no_hub_name_the_flag(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(PretrainedError) as error:
        load_vit([build()], str(tmp_path / "none.safetensors"))
    assert "--set pretrained=" in error.value.do

    def offline(name: str, **_: Any) -> None:
        raise OSError(f"no route to the hub for {name}")

    monkeypatch.setattr(timm, "create_model", offline)
    with pytest.raises(PretrainedError, match=HUB) as error:
        load_vit([build()], "imagenet")
    assert "--set pretrained=" in error.value.do


def test_heads_must_divide_the_width() -> None:
    with pytest.raises(ValueError, match="5 heads do not divide a width of 32"):
        VitConfig(width=32, heads=5)
