"""The options of MambaPro."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from baselines.shared.clip_config import ClipConfig


class MambaProConfig(ClipConfig):
    """The recipe's `[config]`; the defaults are the authors' for RGBNT201.

    Attributes:
        prompt: Each block appends learned tokens of every modality (SRP).
        adapter: Each block has a small MLP beside its own (PFA).
        mamba: State spaces mix the patches of all modalities (AAM), and the descriptor is theirs;
            without it the class tokens are.
        frozen: The encoder itself is not trained, only what is added to it.
        bidirectional: Sequences are read from their end, too.
        prompts: Tokens of a modality in each block.
        blocks: Of AAM, each within the modalities and then across them.
        d_state: Numbers that a channel remembers.
        expand: Channels within AAM, as a multiple of the tokens' width.
        dt_rank: Numbers that a token's steps in time are made of.
        scan: `auto` takes the kernel of mamba_ssm where it is installed and gives what ours gives,
            and the record says which it was; `plain` is ours.
        recompute: The encoder's blocks are computed once more on the way back instead of kept: a
            third more work, and room for batches that a GPU of 24 GB has not in exact mode.
    """

    prompt: bool = True
    adapter: bool = True
    mamba: bool = True
    frozen: bool = True
    bidirectional: bool = False
    prompts: int = Field(default=4, ge=1)
    blocks: int = Field(default=2, ge=1)
    d_state: int = Field(default=16, ge=1)
    expand: int = Field(default=2, ge=1)
    dt_rank: int = Field(default=32, ge=1)
    scan: Literal["auto", "plain"] = "auto"
    recompute: bool = False
