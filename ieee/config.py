"""The options of IEEE: what the paper ablates, and the readings on which paper and code differ."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Weight = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class IEEEConfig(BaseModel):
    """The recipe's `[config]`; the defaults are what the authors' code does.

    Attributes:
        interaction: Cross-modal interacting module (Table 3 rows b to d).
        attention: Channel attention inside the interaction; without interaction it has no place.
        rem: Relation-based embedding module (Table 3 row d).
        rem_formula: `code`, p + 2 gamma Wp g; `paper`, our reading of equations 3 and 4.
        loss: `margin`, cross-entropy and 3M; `softmax`, cross-entropy alone.
        margin: Distance that 3M asks between the centres of two modalities.
        margin_distance: `squared` as the code, `l2` as the paper.
        weight_m: Weight of 3M; 0 turns it off.
        weight_x: Weight of the cross-entropy; 0 turns it off.
        parts: Horizontal stripes.
        backbone: Any timm network that yields feature maps, one per modality.
        global_from: The global feature comes from the map `before` CIM (code) or `after` (paper).
        label_smoothing: Probability mass spread over all classes in the cross-entropy.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    interaction: bool = True
    attention: bool = True
    rem: bool = True
    rem_formula: Literal["code", "paper"] = "code"
    loss: Literal["margin", "softmax"] = "margin"
    margin: Weight = 1.0
    margin_distance: Literal["squared", "l2"] = "squared"
    weight_m: Weight = 1.0
    weight_x: Weight = 1.0
    parts: int = Field(default=6, ge=1, le=64)
    backbone: str = Field(default="resnet50", min_length=1)
    global_from: Literal["before", "after"] = "before"
    label_smoothing: float = Field(default=0.1, ge=0, lt=1)
