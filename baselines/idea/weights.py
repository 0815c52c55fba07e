"""Weights for CLIP's text encoder, which lie beside those of its image encoder."""

from __future__ import annotations

import re
from pathlib import Path

import torch
from torch import Tensor, nn

from baselines.shared.clip_weights import our_name, read_clip
from harness.base.errors import CheckpointError
from harness.data.tokens import require_tokenizer
from harness.training.backbone import no_weights
from harness.training.weights import describe_misfit

_MODEL, _TAG = "ViT-B-16-quickgelu", "openai"
"""open_clip's names of the network and the weights."""
_OF_TEXT = re.compile(
    r"(token_embedding|ln_final|transformer\.resblocks)\..*|positional_embedding|text_projection"
)


def load_text(encoder: nn.Module, pretrained: str) -> None:
    """Give a text encoder published weights, every one of them or none.

    Args:
        encoder: Of the published shape; learned vectors among its tokens stay as they are.
        pretrained: As for the image encoder, `baselines.shared.clip_weights.load_clip`; the hub is
            asked through open_clip, since timm's weights are the image encoder's alone.

    Raises:
        PretrainedError: No network, no such file, or one that cannot be read.
        CheckpointError: Parameters are missing or of another shape.
        HarnessError: The hub is asked for without open_clip.
    """
    if pretrained == "none":
        return
    source = pretrained if pretrained != "imagenet" else f"{_MODEL} of open_clip ({_TAG})"
    state = _from_hub() if pretrained == "imagenet" else read_clip(Path(pretrained))
    got = {our_name(k): v.float() for k, v in state.items() if _OF_TEXT.fullmatch(k)}
    want = {k: v for k, v in encoder.state_dict().items() if k != "prompts"}
    misfit = describe_misfit(want, got)
    if misfit:
        raise CheckpointError(
            f"the weights in {source} do not fit the text encoder: {misfit}",
            "every parameter of CLIP's text encoder, beside its image encoder ViT-B/16, under "
            "OpenAI's names; files of timm have the image encoder alone",
            "pass OpenAI's ViT-B-16.pt, leave config.text at its defaults, or pass "
            "`--set pretrained=none`",
        )
    encoder.load_state_dict(got, strict=False)


def _from_hub() -> dict[str, Tensor]:
    require_tokenizer("the weights of CLIP's text encoder")
    import open_clip

    try:
        with torch.random.fork_rng([]):  # what it draws before it loads is nobody's business
            model = open_clip.create_model(_MODEL, pretrained=_TAG)
    except Exception as error:  # the hub's client raises errors of several libraries
        raise no_weights(f"{_MODEL} of open_clip", error) from error
    found: dict[str, Tensor] = model.state_dict()
    return found
