"""Captions of drawn people: of what was drawn, in words that are coarser than the drawing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from harness.base.hashing import derive_seed
from harness.data.captions import Caption
from harness.spec.modality import MODALITIES, Modality
from reid_datasets.figures import Identity
from reid_datasets.scenes import Colour
from reid_datasets.skeleton import Shape, Surface

_LEFT_OUT = 25
"""Of a hundred things that could be said of an image, so many are not, as of any describer."""

# The middle of what people call so, in RGB.
_COLOURS: dict[str, Colour] = {
    "black": (25, 25, 28),
    "grey": (128, 128, 132),
    "white": (238, 238, 234),
    "red": (190, 40, 44),
    "pink": (230, 120, 140),
    "orange": (236, 134, 44),
    "yellow": (222, 190, 56),
    "green": (60, 130, 76),
    "light blue": (96, 170, 214),
    "blue": (44, 80, 170),
    "purple": (120, 66, 158),
    "brown": (114, 78, 52),
    "beige": (214, 188, 150),
}
_BRIGHT = ("dark", "dim", "bright", "very bright")
_WARM = ("cold", "cool", "warm", "hot")
_HEAT_SPAN = (0.16, 0.97)


def captions_of(
    name: str, identity: Identity, modalities: Iterable[Modality] = MODALITIES
) -> Iterator[Caption]:
    """What is said of a sample's image in each modality.

    Colours in RGB, how much each thing reflects in NI, how warm it looks in TI: what the image of
    that modality shows and no other. Which things are left out depends on the name alone.

    Args:
        name: The sample's.
        identity: Who is on it.
        modalities: Of the images there are.
    """
    for modality in modalities:
        words = [
            _said(thing, surface, identity, modality)
            for thing, surface in _things(identity.shape, modality).items()
            if derive_seed("caption", name, modality, thing) % 100 >= _LEFT_OUT
        ]
        listed = ", ".join(words) or "nothing that stands out"
        yield Caption(name, modality, f"A person with {listed}.")


def _things(shape: Shape, modality: Modality) -> Mapping[str, Surface]:
    """What the person has on, as far as a modality shows it, with the surface it is made of."""
    found: dict[str, Surface] = {}
    if shape.hair != "none":
        found[{"short": "short hair", "long": "long hair", "bun": "hair in a bun"}[shape.hair]] = (
            Surface.HAIR
        )
    found[shape.upper.replace("long sleeve", "long-sleeved shirt")] = Surface.UPPER
    # A print is no other cloth: heat shows next to nothing of it.
    if shape.pattern != "plain" and modality != "TI":
        found[{"stripes": "stripes", "blocks": "lower half", "logo": "print"}[shape.pattern]] = (
            Surface.UPPER_MARK
        )
    if shape.upper != "dress":
        found[shape.lower] = Surface.LOWER
    found["shoes"] = Surface.SHOES
    if shape.bag != "none":
        found[shape.bag] = Surface.BAG
    if shape.hat:
        found["hat"] = Surface.HAT
    return found


def _said(thing: str, surface: Surface, identity: Identity, modality: Modality) -> str:
    material = identity.materials[surface]
    if modality == "RGB":
        return f"{_colour(material.colour)} {thing}"
    if modality == "NI":
        return f"{_step(material.ni, (0.10, 0.92), _BRIGHT)} {thing}"
    return f"{_step(material.heat, _HEAT_SPAN, _WARM)} {thing}"


def _colour(colour: Colour) -> str:
    def far(name: str) -> int:
        return sum((a - b) ** 2 for a, b in zip(colour, _COLOURS[name], strict=True))

    return min(_COLOURS, key=far)


def _step(value: float, span: tuple[float, float], words: tuple[str, ...]) -> str:
    place = (value - span[0]) / (span[1] - span[0])
    return words[max(0, min(len(words) - 1, int(place * len(words))))]
