"""Making a timm network without its classifier for our input size, and giving it weights."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import timm
import torch
from torch import nn

from baselines.shared.ibn import PUBLIC_WEIGHTS, SUFFIX, put_ibn_a
from baselines.shared.presets import PRESETS, full_name
from harness.base.errors import CheckpointError, RecipeError
from harness.training.backbone import (
    default_tag,
    no_weights,
    read_state,
    remove_last_stride,
    unknown_backbone,
)
from harness.training.weights import describe_misfit, first_line


def timm_body(
    name: str,
    pretrained: str,
    size: tuple[int, int],
    patch_stride: int | None = None,
    drop_path: float = 0.0,
) -> nn.Module:
    """A timm network with `num_classes=0`; a ResNet has last stride 1.

    Args:
        name: A preset (`baselines.shared.presets`), or a timm name with or without a tag.
        pretrained: `none`; `imagenet`, from the hub by the tag; or the path of a local file.
        size: (height, width) of the images. Position embeddings are resized to it.
        patch_stride: For a ViT, the distance of its patches, which then overlap.
        drop_path: Stochastic depth, where the network has it.

    Raises:
        UnknownNameError: Neither a preset nor a name of timm.
        RecipeError: The network cannot be made for this input size.
        PretrainedError: The weights cannot be downloaded, or the file cannot be read.
        CheckpointError: The file's weights do not fit the network.
    """
    arch, _, tag = full_name(name).partition(".")
    ibn = arch.endswith(SUFFIX) and not timm.is_model(arch)
    plain = arch.removesuffix(SUFFIX) if ibn else arch
    if not timm.is_model(plain):
        raise unknown_backbone(arch, PRESETS)
    tag = tag or default_tag(plain)
    wanted = f"{plain}.{tag}" if tag else plain
    options = _options(wanted, size, patch_stride, drop_path)
    hub = pretrained == "imagenet" and not ibn
    body = _from_hub(wanted, options) if hub else _make(wanted, options)
    if patch_stride is not None:
        _overlap(body, size, patch_stride)
    if getattr(body, "cls_token", None) is not None and hasattr(body, "global_pool"):
        body.reset_classifier(0, "token")  # type: ignore[operator]
    if ibn:
        put_ibn_a(body)
    if ibn and pretrained == "imagenet":
        _fetch_ibn(arch, body)
    elif pretrained not in ("imagenet", "none"):
        load_body(body, Path(pretrained))
    remove_last_stride(body)
    return body


def load_body(body: nn.Module, path: Path) -> None:
    """Loads a local file in timm's naming, or in one that timm itself translates.

    The classifier is left out; position embeddings are resized to the network's input.

    Raises:
        PretrainedError: The file is absent, damaged, or holds more than tensors.
        CheckpointError: It is of another network.
    """
    state: dict[str, Any] = read_state(path)
    translate = getattr(sys.modules[type(body).__module__], "checkpoint_filter_fn", None)
    if translate is not None:
        try:
            state = translate(state, body)
        except Exception as error:  # a file of another network can break it in any way
            raise _misfit(path, f"timm cannot translate it: {first_line(error)}") from error
    want = body.state_dict()
    # files of older torch lack this counter, which only momentum=None reads
    counters = {k: v for k, v in want.items() if k.endswith(".num_batches_tracked")}
    got = counters | {k: v for k, v in state.items() if k in want}
    network: Any = body
    classifier = network.pretrained_cfg.get("classifier") or ()
    unread = (classifier,) if isinstance(classifier, str) else tuple(classifier)
    parts = {k.partition(".")[0] for k in want}
    # keys of a part that we have, such as layer3.9, mean another network
    odd = [
        k
        for k in state
        if k not in want and k.partition(".")[0] in parts and not k.startswith(unread)
    ]
    misfit = describe_misfit(want, got, odd)
    if misfit:
        raise _misfit(path, misfit)
    body.load_state_dict(got)


def _options(
    name: str, size: tuple[int, int], patch_stride: int | None, drop_path: float
) -> dict[str, Any]:
    options: dict[str, Any] = {"num_classes": 0}
    config = timm.get_pretrained_cfg(name)
    if config is not None and config.fixed_input_size:
        options["img_size"] = size
    if drop_path:
        options["drop_path_rate"] = drop_path
    if patch_stride is not None:
        with torch.device("meta"):
            patch = _patch_embedding(_make(name, options)).patch_size
        # timm thinks of patches side by side: this size gives it as many as ours overlap
        grid = [(s - p) // patch_stride + 1 for s, p in zip(size, patch, strict=True)]
        options["img_size"] = tuple(g * p for g, p in zip(grid, patch, strict=True))
    return options


def _make(name: str, options: dict[str, Any]) -> nn.Module:
    try:
        body: nn.Module = timm.create_model(name, **options)
    except Exception as error:
        # timm has no one error for this: assertion, attribute and runtime errors all occur
        raise RecipeError(
            f"backbone {name!r} cannot be made with {options}: {first_line(error)}",
            "a timm network that takes this input size",
            "choose another one with `--set config.backbone=resnet50`, or another input size",
        ) from error
    if not hasattr(body, "head_hidden_size") or not hasattr(body, "forward_head"):
        raise RecipeError(
            f"backbone {name!r} gives no features before its classifier",
            "a timm network with forward_features and forward_head",
            "choose another one with `--set config.backbone=resnet50`",
        )
    return body


def _from_hub(name: str, options: dict[str, Any]) -> nn.Module:
    with torch.device("meta"):
        _make(name, options)  # what is wrong with the recipe ends here, before the download
    try:
        body: nn.Module = timm.create_model(name, pretrained=True, **options)
    except Exception as error:  # the hub's client raises errors of several libraries
        raise no_weights(name, error) from error
    return body


def _fetch_ibn(arch: str, body: nn.Module) -> None:
    if arch not in PUBLIC_WEIGHTS:
        raise no_weights(arch, LookupError(f"there are some for {', '.join(PUBLIC_WEIGHTS)} only"))
    try:
        state = torch.hub.load_state_dict_from_url(
            PUBLIC_WEIGHTS[arch], map_location="cpu", check_hash=True, weights_only=True
        )
    except Exception as error:  # no network, no space, a damaged file
        raise no_weights(arch, error) from error
    want = body.state_dict()
    counters = {k: v for k, v in want.items() if k.endswith(".num_batches_tracked")}
    body.load_state_dict(counters | {k: v for k, v in state.items() if k in want})


def _patch_embedding(body: nn.Module) -> Any:
    patches: Any = getattr(body, "patch_embed", None)
    if not isinstance(getattr(patches, "proj", None), nn.Conv2d):
        raise RecipeError(
            "patch_stride is set for a network without patches",
            "a ViT, such as vit_base_patch16",
            "leave `config.patch_stride` out, or set `config.backbone=vit_base_patch16`",
        )
    return patches


def _overlap(body: nn.Module, size: tuple[int, int], stride: int) -> None:
    patches = _patch_embedding(body)
    patches.proj.stride = (stride, stride)
    patches.img_size = size


def _misfit(path: Path, what: str) -> CheckpointError:
    return CheckpointError(
        f"the weights in {path} do not fit the backbone: {what}",
        "the parameters of this backbone in timm's naming",
        "pass the file of the same network, or another `--set config.backbone=NAME`",
    )
