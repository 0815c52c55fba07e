"""Backbones from timm that give their last feature map, with the stride and weights we ask for."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import timm
from timm.layers.format import Format
from torch import Tensor, nn

from harness.base.errors import CheckpointError, PretrainedError, RecipeError, UnknownNameError
from harness.training.weights import describe_misfit, first_line, read_file
from harness.training.wrappers import state_of

TORCHVISION_V1 = "tv_in1k"
"""timm's tag of torchvision's first ImageNet weights, those the papers of the field start from."""

PRETRAINED_FLAGS = "`--set pretrained=none` or `--set pretrained=/path/to/weights.safetensors`"


class FeatureBackbone(nn.Module):
    """A timm network cut after its last feature map.

    Args:
        body: A timm model made with `features_only=True` and one output.

    Attributes:
        channels: Channels of the map.
    """

    def __init__(self, body: nn.Module) -> None:
        super().__init__()
        self.body = body
        info: Any = body.feature_info
        self.channels: int = info.channels()[-1]
        self._channels_last = getattr(body, "output_fmt", Format.NCHW) == Format.NHWC

    def forward(self, images: Tensor) -> Tensor:
        """The last feature map, (n, channels, h, w), of images (n, 3, height, width)."""
        features: Tensor = self.body(images)[-1]
        return features.permute(0, 3, 1, 2) if self._channels_last else features


def feature_backbone(
    name: str,
    pretrained: str = "none",
    last_stride: int = 1,
    image_size: tuple[int, int] | None = None,
) -> FeatureBackbone:
    """A backbone by its timm name.

    Args:
        name: A timm model name, with or without a weights tag ("resnet50", "resnet50.a1_in1k").
        pretrained: `none`, `imagenet` (from the hub: the tag in the name, else the torchvision V1
            weights where timm has them, else timm's default), or a local .safetensors or .pth
            file in timm's or torchvision's naming; its classifier is ignored.
        last_stride: For ResNets, 1 takes the stride out of the last stage, without dilation;
            2 keeps it. Other networks keep their own strides.
        image_size: (height, width); used only by networks built for one input size, such as ViT.

    Raises:
        UnknownNameError: timm has no model of that name.
        RecipeError: The model gives no feature maps.
        PretrainedError: The weights cannot be downloaded, or the file cannot be read.
        CheckpointError: The file's weights do not fit the model.
    """
    arch, _, tag = name.partition(".")
    if not timm.is_model(arch):
        raise unknown_backbone(arch)
    body = _create(arch, tag, image_size)
    if pretrained == "imagenet":
        body = _from_hub(arch, tag, image_size)
    elif pretrained != "none":
        _load_file(body, Path(pretrained))
    if last_stride == 1:
        remove_last_stride(body)
    return FeatureBackbone(body)


def remove_last_stride(body: nn.Module) -> None:
    """Sets the stride of a ResNet's last stage to 1 in place, without dilation.

    Every strided part of the first block of `layer4` is changed: the 3x3 convolution (the second
    of a bottleneck, the first of a basic block), the shortcut, and the pools that stand in for
    strides in ResNet-D, anti-aliased and ResNeSt variants. No parameter changes, so weights still
    load. Networks without a `layer4` are left as they are.
    """
    layer4 = getattr(body, "layer4", None)
    if not isinstance(layer4, nn.Sequential):
        return
    for parent in list(layer4[0].modules()):
        for child_name, child in list(parent.named_children()):
            stride = getattr(child, "stride", 1)
            if stride in (1, (1, 1)) or any(True for _ in child.children()):
                continue
            if isinstance(child, nn.Conv2d):
                child.stride = (1, 1)
            elif isinstance(child, nn.AvgPool2d) and child.padding not in (0, (0, 0)):
                child.stride = 1  # ResNeSt's padded 3x3 pool keeps the size at stride 1
            else:
                setattr(parent, child_name, nn.Identity())


def _create(
    arch: str, tag: str, size: tuple[int, int] | None, pretrained: bool = False
) -> nn.Module:
    name = f"{arch}.{tag}" if tag else arch
    options: dict[str, Any] = {"features_only": True, "out_indices": (-1,)}
    config = timm.get_pretrained_cfg(arch)
    if size is not None and config is not None and config.fixed_input_size:
        options["img_size"] = size
    try:
        body: nn.Module = timm.create_model(name, pretrained=pretrained, **options)
        body.feature_info.channels()  # type: ignore[union-attr, operator]
    except Exception as error:
        if pretrained:
            raise
        # timm has no one error for this: assertion, attribute and runtime errors all occur
        raise RecipeError(
            f"backbone {name!r} gives no feature maps: {first_line(error)}",
            "a timm model that can be made with features_only=True, such as resnet50",
            "choose another one with `--set config.backbone=resnet50`",
        ) from error
    return body


def unknown_backbone(name: str, own: Iterable[str] = ()) -> UnknownNameError:
    """The error for a name that is neither timm's nor one of a method's `own`."""
    names = [*own, *timm.list_models()]
    near = difflib.get_close_matches(name, names, n=8) or ["resnet50"]
    error = UnknownNameError(
        "backbone", name, near, "list them: python -c 'import timm; print(timm.list_models())'"
    )
    # timm knows more than a thousand names; only those like the given one help
    error.expected = f"a name that timm knows, such as {', '.join(near)}"
    return error


def _from_hub(arch: str, tag: str, size: tuple[int, int] | None) -> nn.Module:
    tag = tag or default_tag(arch)
    try:
        return _create(arch, tag, size, pretrained=True)
    except Exception as error:  # the hub's client raises errors of several libraries
        raise no_weights(f"{arch}.{tag}" if tag else arch, error) from error


def default_tag(arch: str) -> str:
    """The tag of the weights meant by a name without one; empty for timm's own default."""
    known = timm.list_pretrained(f"{arch}.*")
    return TORCHVISION_V1 if f"{arch}.{TORCHVISION_V1}" in known else ""


def no_weights(name: str, error: BaseException) -> PretrainedError:
    """The error for weights that the hub did not give."""
    return PretrainedError(
        f"no pretrained weights for {name}: {first_line(error)}",
        "a machine that reaches the Hugging Face hub, or has them in its cache",
        f"pass {PRETRAINED_FLAGS}",
    )


def read_state(path: Path) -> dict[str, Tensor]:
    """The tensors of a weights file by name, out of a checkpoint and without wrappers' prefixes.

    Raises:
        PretrainedError: The file is absent, damaged, or holds no tensors by name.
    """
    try:
        return state_of(read_file(path), str(path))
    except CheckpointError as error:
        raise PretrainedError(
            error.seen, error.expected, f"{error.do}; or pass {PRETRAINED_FLAGS}"
        ) from error


def _load_file(body: nn.Module, path: Path) -> None:
    want = body.state_dict()
    got = {_body_name(k, want): v for k, v in read_state(path).items()}
    # files of older torch lack this counter, which only momentum=None reads
    counters = {k: v for k, v in want.items() if k.endswith(".num_batches_tracked")}
    got = counters | {k: v for k, v in got.items() if k in want or not k.endswith("_tracked")}
    stages = {k.partition(".")[0] for k in want}
    # keys of a stage we have, such as layer3.9, mean another network; the rest is the classifier
    odd = [k for k in got if k not in want and k.partition(".")[0] in stages]
    misfit = describe_misfit(want, got, odd)
    if misfit:
        raise CheckpointError(
            f"the weights in {path} do not fit the backbone: {misfit}",
            "the parameters of this backbone in timm's or torchvision's naming",
            "pass the file of the same network, or another `--set config.backbone=NAME`",
        )
    body.load_state_dict({k: got[k] for k in want})


def _body_name(key: str, want: Mapping[str, Tensor]) -> str:
    """The name timm's feature wrappers give to a key of the whole network."""
    flattened = key.replace(".", "_", 1)
    for name in (key, flattened, f"model.{key}"):
        if name in want:
            return name
    stages = {k.partition(".")[0] for k in want}
    return flattened if flattened.partition(".")[0] in stages else key
