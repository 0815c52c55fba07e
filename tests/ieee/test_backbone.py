"""Feature backbones: stride surgery, weights from files, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import timm
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from harness.base.errors import CheckpointError, PretrainedError, RecipeError, UnknownNameError
from harness.training import backbone as module
from harness.training.backbone import feature_backbone


@pytest.mark.parametrize(
    "name",
    ["resnet18", "resnet50", "resnet10t", "resnet18d", "seresnet50", "resnetaa50", "resnest14d",
     "seresnetaa50d", "resnext50_32x4d", "res2net50_26w_4s", "legacy_seresnet18"],
)  # fmt: skip
def test_the_last_stage_of_a_resnet_keeps_its_size(name: str) -> None:
    with torch.device("meta"):
        net = feature_backbone(name)
        out = net(torch.zeros(2, 3, 128, 64))
        assert out.shape == (2, net.channels, 8, 4)
        assert feature_backbone(name, last_stride=2)(torch.zeros(2, 3, 128, 64)).shape[2:] == (4, 2)
        assert not [m for m in net.modules() if getattr(m, "dilation", 1) not in (1, (1, 1))]


def test_the_surgery_equals_striding_less_and_nothing_else() -> None:
    """At stride 1 every second value of the first block is what stride 2 gave."""
    torch.manual_seed(0)
    images = torch.randn(2, 3, 64, 64)
    narrow, wide = feature_backbone("resnet18", last_stride=2).eval(), feature_backbone("resnet18")
    wide.eval().load_state_dict(narrow.state_dict())
    seen: dict[str, Tensor] = {}
    for name, net in (("narrow", narrow), ("wide", wide)):
        bn: Any = net.body["layer4"][0].bn1  # type: ignore[index]
        bn.register_forward_hook(lambda _m, _i, out, name=name: seen.update({name: out}))
        net(images)
    torch.testing.assert_close(seen["wide"][:, :, ::2, ::2], seen["narrow"])


@pytest.mark.parametrize(
    ("name", "channels"),
    [("convnext_atto", 320), ("swin_tiny_patch4_window7_224", 768), ("vit_tiny_patch16_224", 192)],
)
def test_other_networks_give_channels_first_maps_at_our_size(name: str, channels: int) -> None:
    net = feature_backbone(name, image_size=(224, 112)).eval()
    with torch.no_grad():
        assert net(torch.zeros(1, 3, 224, 112)).shape[:2] == (1, channels)


@pytest.mark.parametrize("name", ["resnet18", "resnet10t", "convnext_atto"])
@pytest.mark.parametrize("ending", [".safetensors", ".pth"])
def test_weights_of_the_whole_network_load_without_its_classifier(
    tmp_path: Path, name: str, ending: str
) -> None:
    whole = timm.create_model(name, num_classes=7).eval()
    path = tmp_path / f"weights{ending}"
    state = whole.state_dict()
    if ending == ".pth":  # as older torch, without counters, inside a checkpoint
        state = {f"module.{k}": v for k, v in state.items() if "num_batches" not in k}
        torch.save({"state_dict": state, "epoch": 3}, path)
    else:
        save_file(state, path)
    net = feature_backbone(name, str(path), last_stride=2).eval()
    images = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(net(images), whole.forward_features(images))


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "deeper.safetensors"
    save_file(timm.create_model("resnet34").state_dict(), path)
    with pytest.raises(CheckpointError, match=r"unexpected: layer1\.2\.bn1"):
        feature_backbone("resnet18", str(path))
    with pytest.raises(CheckpointError, match="missing: "):
        feature_backbone("resnet50", str(path))


def test_another_shape_is_refused_with_both(tmp_path: Path) -> None:
    state = timm.create_model("resnet18").state_dict()
    state["conv1.weight"] = torch.zeros(64, 1, 7, 7)
    save_file(state, tmp_path / "grey.safetensors")
    with pytest.raises(CheckpointError, match=r"conv1\.weight \(64x1x7x7 .* 64x3x7x7"):
        feature_backbone("resnet18", str(tmp_path / "grey.safetensors"))


def test_absent_damaged_and_unsafe_files_are_named(tmp_path: Path) -> None:
    (tmp_path / "cut.safetensors").write_bytes(b"cut")
    torch.save(nn.Linear(2, 2), tmp_path / "pickled.pth")
    torch.save([1], tmp_path / "list.pth")
    expected = {
        "none.pth": "there is no file",
        "cut.safetensors": "cannot be read",
        "pickled.pth": "cannot be read",
        "list.pth": "holds a list",
    }
    for name, words in expected.items():
        with pytest.raises(PretrainedError, match=words):
            feature_backbone("resnet10t", str(tmp_path / name))


@pytest.mark.parametrize(("name", "near"), [("resnet5O", "resnet50"), ("qqqq", None)])
def test_an_unknown_name_says_the_nearest(name: str, near: str | None) -> None:
    with pytest.raises(UnknownNameError) as caught:
        feature_backbone(name)
    assert caught.value.nearest == near
    assert len(str(caught.value)) < 500


def test_a_network_without_maps_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def flat(name: str, **_: Any) -> nn.Module:
        return nn.Linear(2, 2)

    monkeypatch.setattr(module.timm, "create_model", flat)
    with pytest.raises(RecipeError, match="gives no feature maps"):
        feature_backbone("resnet18")


@pytest.mark.parametrize(
    ("asked", "fetched"),
    [
        ("resnet50", "resnet50.tv_in1k"),
        ("resnet50.a1_in1k", "resnet50.a1_in1k"),
        ("resnet10t", "resnet10t"),
    ],
)
def test_imagenet_takes_torchvisions_first_weights(
    monkeypatch: pytest.MonkeyPatch, asked: str, fetched: str
) -> None:
    names = []

    def offline(name: str, pretrained: bool = False, **options: Any) -> Any:
        if pretrained:
            names.append(name)
            raise OSError("no route to the hub\nmore")
        return real(name, **options)

    real = timm.create_model
    monkeypatch.setattr(module.timm, "create_model", offline)
    with pytest.raises(PretrainedError, match="no route to the hub") as caught:
        feature_backbone(asked, "imagenet")
    assert names == [fetched]
    assert "`--set pretrained=none`" in caught.value.do and "/path/to/weights" in caught.value.do
