"""The options of IDEA."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from baselines.shared.clip_config import ClipConfig


class TextShape(BaseModel):
    """The shape of CLIP's text encoder; the defaults are that of ViT-B/16.

    Attributes:
        depth: Blocks.
        width: Of the tokens within.
        heads: Of the attention in each block.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    depth: int = Field(default=12, ge=1)
    width: int = Field(default=512, ge=8)
    heads: int = Field(default=8, ge=1)

    @model_validator(mode="after")
    def _heads_divide(self) -> TextShape:
        if self.width % self.heads:
            raise ValueError(f"width {self.width} is no multiple of heads {self.heads}")
        return self


class IdeaConfig(ClipConfig):
    """The recipe's `[config]`; the defaults are the authors' for RGBNT201.

    Attributes:
        text: The shape of the text encoder, which stays as it is loaded.
        prefix: A sentence about the spectrum stands before every caption.
        noun: What it says is in the image.
        spectrum_clause: It says as well what the spectrum shows; not on RGBNT100.
        text_prompts: Learned vectors, added to the text's tokens from the fifth on, where the
            prefix has as many letters X. Without the prefix they fall on words of the caption.
        inverse: The text becomes a token of the image encoder; otherwise it stays beside it.
        inverse_dropout: After each layer of what makes that token.
        cda: The class and text tokens ask patches that are sampled at learned places.
        shared_offsets: All modalities are sampled at the same places.
        offset_factor: How far the places may move, in steps between them.
        descriptor: `textual` is what the authors select and report by, the text tokens; `visual`
            the class tokens, both as CDA gives them; `tokens` are both before CDA, which their
            test script returns.
        rest_rate: What is not the image encoder learns at so many times the recipe's rate; as
            published all does at 0.01.
    """

    text: TextShape = TextShape()
    prefix: bool = True
    noun: Literal["person", "vehicle"] = "person"
    spectrum_clause: bool = True
    text_prompts: int = Field(default=2, ge=0, le=8)
    inverse: bool = True
    inverse_dropout: float = Field(default=0.1, ge=0, lt=1)
    cda: bool = True
    shared_offsets: bool = True
    offset_factor: float = Field(default=5.0, ge=0, allow_inf_nan=False)
    descriptor: Literal["textual", "visual", "tokens"] = "textual"
    rest_rate: float = Field(default=1.0, gt=0, allow_inf_nan=False)
