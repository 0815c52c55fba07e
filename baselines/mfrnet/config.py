"""The options of MFRNet."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from baselines.shared.clip_config import ClipConfig
from baselines.shared.options import Weight


class MFRNetConfig(ClipConfig):
    """The recipe's `[config]`; the defaults are the authors' for RGBNT201, but for `capacity`.

    Attributes:
        generation: Experts add to each modality's tokens what they make of the others' (GEN); a
            missing modality is made of them alone.
        moe: Experts take the place of the last block's MLP (ADA).
        global_local: The class token learns of the mean over the patches; on RGBNT100.
        capacity: Whether experts refuse tokens at test, as they do in training. `none`: no token is
            refused, and a descriptor depends on its own images alone. `batch`, the authors' way:
            each expert takes the tokens of the batch that the gate is surest of, up to its
            capacity; with three images or fewer in a batch there are no experts at all.
        capacity_factor: Tokens that an expert takes, as a part of what is its share if all take
            equally many. With the number of experts (6) or more, none is ever refused.
        experts: `shared`: the experts of a layer have one set of weights, as the public code comes
            to have it, so that a gate decides a factor alone. `separate`: each its own.
        experts_init: `zero`: where the public code leaves them, and where all but their last shift
            stay. `random`: as it draws them before it loads CLIP.
        gate_noise: Of the gate's logits in training, over the number of experts; also the width of
            the step in the balance of loads.
        gate_noise_drawn: Whether that noise is drawn at all.
        balance_weight: Of every layer's balance.
        own_weight: Of a modality's own tokens beside those made of the others'.
        dropout: Between the two layers of an expert.
    """

    generation: bool = True
    moe: bool = True
    global_local: bool = False
    capacity: Literal["none", "batch"] = "none"
    capacity_factor: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    experts: Literal["shared", "separate"] = "shared"
    experts_init: Literal["zero", "random"] = "zero"
    gate_noise: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    gate_noise_drawn: bool = True
    balance_weight: Weight = 0.01
    own_weight: Weight = 0.5
    dropout: float = Field(default=0.1, ge=0, lt=1)
