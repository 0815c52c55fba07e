"""Weights for CLIP's image encoder: OpenAI's file, timm's, or a local one under either's names."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import timm
import torch
from torch import Tensor
from torch.nn import functional

from baselines.shared.clip_visual import ClipVisual
from baselines.shared.presets import PRESETS
from baselines.shared.torchscript import is_torchscript, read_torchscript
from harness.base.errors import CheckpointError, PretrainedError
from harness.training.backbone import PRETRAINED_FLAGS, no_weights, read_state
from harness.training.weights import describe_misfit

PUBLIC = PRESETS["clip_vit_b16"]
"""timm's name of OpenAI's weights with the activation they were trained with."""

_VISUAL = "visual."
_BLOCKS = "transformer.resblocks."
_IN_BLOCKS = (
    (".ln_1.", ".norm1."),
    (".ln_2.", ".norm2."),
    (".attn.in_proj_", ".attn.qkv."),
    (".attn.out_proj.", ".attn.proj."),
    (".mlp.c_fc.", ".mlp.fc1."),
    (".mlp.c_proj.", ".mlp.fc2."),
)
_FROM_TIMM = (
    ("patch_embed.proj.weight", "conv1.weight"),
    ("norm_pre.", "ln_pre."),
    ("norm.", "ln_post."),
)


def our_name(key: str) -> str:
    """Our name of a parameter of OpenAI's image encoder, given without `visual.`.

    Those of the blocks are timm's; all others are OpenAI's own.
    """
    if not key.startswith(_BLOCKS):
        return key
    key = "blocks." + key.removeprefix(_BLOCKS)
    for theirs, ours in _IN_BLOCKS:
        key = key.replace(theirs, ours)
    return key


def load_clip(encoder: ClipVisual, pretrained: str) -> None:
    """Give an encoder published weights, every one of them or none.

    Positions are resized to the encoder's grid as the authors of DeMo, Signal and IDEA do it.
    Numbers are brought to float32.

    Args:
        encoder: Of the published shape.
        pretrained: `none` leaves it as it is; `imagenet`, the recipes' word for the hub, takes
            OpenAI's weights from there; else the path of OpenAI's ViT-B-16.pt, or of a
            .safetensors or torch file with its parameters under OpenAI's names (with or without
            the text tower) or timm's.

    Raises:
        PretrainedError: No network, no such file, or one that cannot be read.
        CheckpointError: Parameters are missing, unexpected or of another shape.
    """
    if pretrained == "none":
        return
    if pretrained == "imagenet":
        with torch.device("meta"):  # another shape ends here, before the download
            _fitting(encoder, timm.create_model(PUBLIC).state_dict(), PUBLIC)
        try:
            state = timm.create_model(PUBLIC, pretrained=True).state_dict()
        except Exception as error:  # the hub's client raises errors of several libraries
            raise no_weights(PUBLIC, error) from error
        encoder.load_state_dict(_fitting(encoder, state, PUBLIC))
        return
    path = Path(pretrained)
    encoder.load_state_dict(_fitting(encoder, read_clip(path), str(path)))


def resized_positions(positions: Tensor, grid: tuple[int, int]) -> Tensor:
    """Positions of a square grid, (1 + s * s, width), for another grid, (1 + h * w, width).

    The class's stays. The others are interpolated bilinearly between the centres of the patches,
    without antialiasing, as in the public codes of the field; timm's own way (bicubic, with
    antialiasing) gives numbers far from these.

    Raises:
        ValueError: They are of no square grid.
    """
    own, others = positions[:1], positions[1:]
    side = round(len(others) ** 0.5)
    if side * side != len(others) or not side:
        raise ValueError(f"{len(positions)} positions are no class and a square of patches")
    if (side, side) == grid:
        return positions
    square = others.T.reshape(1, -1, side, side)
    resized = functional.interpolate(square, grid, mode="bilinear", align_corners=False)
    return torch.cat([own, resized.flatten(2)[0].T])


def read_clip(path: Path) -> dict[str, Tensor]:
    """The parameters in a file of CLIP's weights, under the names they have there.

    Raises:
        PretrainedError: No such file, or one that cannot be read.
    """
    if not (path.is_file() and is_torchscript(path)):
        return read_state(path)
    try:
        return read_torchscript(path)
    except ValueError as error:
        raise PretrainedError(
            f"{path} cannot be read as weights: {error}",
            "OpenAI's ViT-B-16.pt as it was downloaded",
            f"download it again; or pass {PRETRAINED_FLAGS}",
        ) from error


def _fitting(encoder: ClipVisual, state: Mapping[str, Tensor], source: str) -> dict[str, Tensor]:
    """The weights under our names and in our shapes.

    Raises:
        CheckpointError: They do not fit.
    """
    want = encoder.state_dict()
    try:
        got = _in_our_names(state)
        if "positional_embedding" in got:
            positions = got["positional_embedding"]
            got["positional_embedding"] = resized_positions(positions, encoder.grid)
        misfit = describe_misfit(want, got)
    except ValueError as error:
        misfit = str(error)
    if misfit:
        raise CheckpointError(
            f"the weights in {source} do not fit the encoder: {misfit}",
            "every parameter of CLIP's image encoder, ViT-B/16 with its projection, under "
            "OpenAI's names or timm's",
            "pass OpenAI's ViT-B-16.pt, leave config.encoder at its defaults, or pass "
            "`--set pretrained=none`",
        )
    return got


def _in_our_names(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    visual = {k.removeprefix(_VISUAL): v for k, v in state.items() if k.startswith(_VISUAL)}
    # Beside them lie the text tower, the temperature and three numbers about the network.
    found: dict[str, Any] = visual or dict(state)
    named = _from_timm(found) if "cls_token" in found else found
    return {our_name(k): v.float() for k, v in named.items()}


def _from_timm(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """timm's names and shapes in ours; timm has the projection as a head with an idle bias.

    Raises:
        ValueError: The head's bias is not zero, so that it is another head.
    """
    state = dict(state)
    bias = state.pop("head.bias", None)
    if bias is not None and not bias.is_meta and bias.any():
        raise ValueError("its head has a bias (head.bias), so it is no projection of CLIP's")
    found = {_of_timm(key): value for key, value in state.items()}
    found["class_embedding"] = found.pop("cls_token").flatten()
    for theirs, ours in (("pos_embed", "positional_embedding"), ("head.weight", "proj")):
        if theirs in found:
            value = found.pop(theirs)
            found[ours] = value.T if ours == "proj" else value.flatten(0, 1)
    return found


def _of_timm(key: str) -> str:
    for theirs, ours in _FROM_TIMM:
        if key.startswith(theirs):
            return ours + key.removeprefix(theirs)
    return key
