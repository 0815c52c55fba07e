"""Encoders: presets, pooling, weights from files and the hub, statistics, IBN-a, patch stride."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import timm
import torch
from safetensors.torch import save_file

from baselines.shared.encoder import encoder
from baselines.shared.ibn import InstanceBatchNorm
from baselines.shared.presets import PRESETS, full_name
from harness.base.errors import CheckpointError, PretrainedError, RecipeError, UnknownNameError
from harness.spec.method import DataInfo

TINY = ("test_resnet", "test_vit", "test_convnext")
HALF = (0.5, 0.5, 0.5)


def data(height: int = 64, width: int = 32, pretrained: object = "none") -> DataInfo:
    return DataInfo(5, ("RGB",), height, width, str(pretrained))


@pytest.mark.parametrize("size", [(256, 128), (128, 256), (128, 64)])
@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_is_made_for_the_sizes_of_the_field(name: str, size: tuple[int, int]) -> None:
    with torch.device("meta"):
        net = encoder(name, data(*size))
        features = net(torch.zeros(2, 3, *size))
        assert net.pool(features).shape == (2, net.width)
        assert net.as_map(features).shape[:2] == (2, net.channels)
        if "resnet" in name:  # the last stage keeps its size
            assert features.shape[2:] == (size[0] // 16, size[1] // 16)


def test_presets_name_weights_that_timm_has() -> None:
    for name in set(PRESETS.values()) - {"resnet50_ibn_a"}:
        assert name in timm.list_pretrained(name)


def test_a_preset_may_have_another_tag() -> None:
    assert full_name("swin_tiny.ms_in1k") == "swin_tiny_patch4_window7_224.ms_in1k"
    assert full_name("convnext_tiny.fb_in1k") == "convnext_tiny.fb_in1k"
    assert full_name("swin_tiny") == PRESETS["swin_tiny"]
    assert full_name("test_vit") == "test_vit"


def test_a_class_token_is_the_vector_where_there_is_one() -> None:
    torch.manual_seed(0)
    net = encoder("test_vit", data()).eval()
    tokens = net(torch.randn(2, 3, 64, 32))
    assert tokens.shape[1] == 1 + 4 * 2
    torch.testing.assert_close(net.pool(tokens), tokens[:, 0])
    # timm averages DINOv3 by default; its class token is what is compared in the field
    dino = encoder("dinov3_vit_b16", data(32, 16)).eval()
    with torch.no_grad():
        tokens = dino(torch.randn(1, 3, 32, 16))
        torch.testing.assert_close(dino.pool(tokens), tokens[:, 0])


def test_a_cnn_is_averaged() -> None:
    net = encoder("test_resnet", data()).eval()
    features = net(torch.randn(2, 3, 64, 32))
    torch.testing.assert_close(net.pool(features), features.mean((2, 3)))


@pytest.mark.parametrize("ending", [".safetensors", ".pth"])
@pytest.mark.parametrize("name", TINY)
def test_a_local_file_gives_the_numbers_of_timm(tmp_path: Path, name: str, ending: str) -> None:
    torch.manual_seed(1)
    whole = timm.create_model(name, num_classes=7).eval()
    path = tmp_path / f"weights{ending}"
    state = whole.state_dict()
    if ending == ".pth":  # as DataParallel saved it, inside a checkpoint, by an older torch
        state = {f"module.{k}": v for k, v in state.items() if "num_batches" not in k}
        torch.save({"state_dict": state, "epoch": 3}, path)
    else:
        save_file(state, path)
    # as its weights want, so that nothing is put into other statistics
    about = data(160, 160, path)._replace(mean=whole.pretrained_cfg["mean"])
    net = encoder(name, about._replace(std=whole.pretrained_cfg["std"])).eval()
    if name == "test_resnet":
        whole = encoder(name, data(160, 160)).eval()
        whole.body.load_state_dict({k: v for k, v in net.body.state_dict().items()})
        want = whole.pool(whole(images := torch.randn(2, 3, 160, 160)))
    else:
        images = torch.randn(2, 3, 160, 160)
        want = whole.forward_head(whole.forward_features(images), pre_logits=True)
    torch.testing.assert_close(net.pool(net(images)), want)
    for key, value in net.body.state_dict().items():
        if f"module.{key}" in state or key in state:
            torch.testing.assert_close(value, state.get(key, state.get(f"module.{key}")))


def test_position_embeddings_are_resized_to_the_input(tmp_path: Path) -> None:
    whole = timm.create_model("test_vit", num_classes=7)
    save_file(whole.state_dict(), tmp_path / "vit.safetensors")
    net = encoder("test_vit", data(64, 32, tmp_path / "vit.safetensors"))
    resized = net.body.pos_embed
    assert resized.shape[1] == 1 + 4 * 2
    torch.testing.assert_close(resized[:, 0], whole.pos_embed[:, 0])


def test_a_file_of_another_network_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "deeper.safetensors"
    save_file(timm.create_model("resnet34").state_dict(), path)
    with pytest.raises(CheckpointError, match=r"unexpected: layer1\.2\.bn1"):
        encoder("resnet18", data(pretrained=path))
    for name in ("test_vit", "test_convnext"):
        with pytest.raises(CheckpointError, match="do not fit the backbone"):
            encoder(name, data(pretrained=path))
    with pytest.raises(PretrainedError, match="there is no file") as caught:
        encoder("test_vit", data(pretrained=tmp_path / "gone.pth"))
    assert "`--set pretrained=none`" in caught.value.do


@pytest.mark.parametrize("name", ["clip_vit_b16", "convnext_tiny.fb_in1k", "resnet50_ibn_a"])
def test_offline_the_error_names_the_flag(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    asked = []

    def offline(name: str, pretrained: bool = False, **options: Any) -> Any:
        if not pretrained:
            return real(name, **options)
        asked.append(name)
        raise OSError("no route to the hub\nmore")

    def no_download(url: str, **_: Any) -> Any:
        asked.append(url)
        raise OSError("no route to the hub\nmore")

    real = timm.create_model
    monkeypatch.setattr("baselines.shared.timm_body.timm.create_model", offline)
    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", no_download)
    with (
        torch.device("meta"),
        pytest.raises(PretrainedError, match="no route to the hub") as caught,
    ):
        encoder(name, data(pretrained="imagenet"))
    assert PRESETS.get(name, name) in asked[0]
    assert "`--set pretrained=none`" in caught.value.do and "/path/to/weights" in caught.value.do


def test_images_are_put_into_the_statistics_of_the_weights(tmp_path: Path) -> None:
    whole = timm.create_model("vit_tiny_patch16_224.augreg_in21k", num_classes=3, depth=1)
    assert whole.pretrained_cfg["mean"] == HALF
    path = tmp_path / "vit.safetensors"
    save_file(timm.create_model("vit_tiny_patch16_224", num_classes=3).state_dict(), path)
    name = "vit_tiny_patch16_224.augreg_in21k"
    ours = encoder(name, data(pretrained=path)).eval()
    theirs = encoder(name, data(pretrained=path)._replace(mean=HALF, std=HALF)).eval()
    pixels = torch.rand(2, 3, 64, 32)
    about = data()
    mean, std = (torch.tensor(x)[:, None, None] for x in (about.mean, about.std))
    with torch.no_grad():
        want = theirs((pixels - 0.5) / 0.5)
        torch.testing.assert_close(ours((pixels - mean) / std), want, atol=1e-4, rtol=1e-4)
        # a trained network is built without weights and then loaded
        again = encoder(name, data()).eval()
        again.load_state_dict(ours.state_dict())
        torch.testing.assert_close(again(pixels), ours(pixels))


def test_ibn_a_has_the_names_and_numbers_of_its_paper(tmp_path: Path) -> None:
    net = encoder("resnet18_ibn_a", data())
    keys = set(net.body.state_dict())
    assert {"layer1.0.bn1.IN.weight", "layer3.1.bn1.BN.running_var", "layer4.0.bn1.weight"} <= keys
    assert "bn1.weight" in keys and not any(k.startswith("layer4.0.bn1.IN") for k in keys)
    layer = InstanceBatchNorm(6)
    x = torch.randn(4, 6, 5, 3) * 3 + 1
    out = layer(x)
    torch.testing.assert_close(out[:, :3].mean((2, 3)), torch.zeros(4, 3), atol=1e-5, rtol=0)
    torch.testing.assert_close(out[:, 3:].mean((0, 2, 3)), torch.zeros(3), atol=1e-5, rtol=0)
    path = tmp_path / "ibn.pth"
    torch.save({**net.body.state_dict(), "fc.weight": torch.zeros(1000, 512)}, path)
    loaded = encoder("resnet18_ibn_a", data(pretrained=path))
    for key, value in net.body.state_dict().items():
        assert torch.equal(value, loaded.body.state_dict()[key])


def test_patches_may_overlap() -> None:
    net = encoder("test_vit", data(), patch_stride=12).eval()
    images = torch.randn(1, 3, 64, 32)
    assert net(images).shape[1] == 1 + 5 * 2
    patches = net.body.patch_embed
    want = torch.nn.functional.conv2d(images, patches.proj.weight, patches.proj.bias, stride=12)
    torch.testing.assert_close(patches.proj(images), want)
    with pytest.raises(RecipeError, match="without patches"):
        encoder("test_resnet", data(), patch_stride=12)


def test_unknown_names_and_sizes_are_said() -> None:
    with pytest.raises(UnknownNameError) as caught:
        encoder("clip_vit_b61", data())
    assert caught.value.nearest == "clip_vit_b16"
    for name in ("coat_tiny", "efficientformer_l1"):  # a list of maps; a fixed number of patches
        with pytest.raises(RecipeError, match=f"{name}' gives no features of 64x32 images"):
            encoder(name, data())
