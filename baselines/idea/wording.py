"""What stands before a caption, in ids of CLIP's byte pairs; imports no torch."""

from __future__ import annotations

from baselines.idea.config import IdeaConfig
from harness.spec.modality import Modality

FIRST_PROMPT = 5
"""The position of the first learned vector: behind the start mark and "an image of a"."""
_IMAGE_OF_A = (550, 2867, 539, 320)
_X = 343
_NOUNS = {"person": 2533, "vehicle": 5299}
_IN_THE = (530, 518)
_SPECTRA: dict[Modality, tuple[int, ...]] = {
    "RGB": (8626, 13532),  # visible spectrum
    "NI": (2252, 22867, 13532),  # near infrared spectrum
    "TI": (13689, 22867, 13532),  # thermal infrared spectrum
}
_CLAUSES: dict[Modality, tuple[int, ...]] = {
    # , capturing natural colors and fine details
    "RGB": (267, 19548, 3288, 5389, 537, 3797, 2353),
    # , capturing contrasts and surface reflectance
    "NI": (267, 19548, 9880, 1088, 537, 7744, 4608, 83, 884),
    # , capturing heat emissions as temperature gradients
    "TI": (267, 19548, 4403, 14172, 601, 9543, 782, 570, 870),
}
_COLON = 281


def prompt_ids(config: IdeaConfig, modality: Modality) -> tuple[int, ...]:
    """The ids before each caption of a modality, with an X for each learned vector.

    "an image of a X X person in the near infrared spectrum, ...:"
    """
    if not config.prefix:
        return ()
    return (
        *_IMAGE_OF_A,
        *[_X] * config.text_prompts,
        _NOUNS[config.noun],
        *_IN_THE,
        *_SPECTRA[modality],
        *(_CLAUSES[modality] if config.spectrum_clause else ()),
        _COLON,
    )
