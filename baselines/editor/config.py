"""The options of EDITOR."""

from __future__ import annotations

from pydantic import Field

from baselines.shared.vit_config import VitConfig


class EditorConfig(VitConfig):
    """The recipe's `[config]`; the defaults are the authors' configuration of RGBNT201.

    Attributes:
        selection: Whether patches are selected (SFTS); without it all are kept.
        head_keep: Patches that each attention head of each modality keeps.
        frequency_keep: Patches kept for their bright pixels.
        bcc: Whether the patches left out are pulled together over the modalities.
        ocfr: Whether class tokens are pulled to the moving centre of their identity.
        centre_momentum: Part of a centre that the batch's mean makes anew.
    """

    selection: bool = True
    head_keep: int = Field(default=2, ge=1)
    frequency_keep: int = Field(default=10, ge=1)
    bcc: bool = True
    ocfr: bool = True
    centre_momentum: float = Field(default=0.8, ge=0, le=1)
