"""People who do not exist: drawn once, then seen by three cameras that agree on the geometry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import numpy as np
from PIL import Image

from harness.spec.modality import Modality
from reid_datasets.bodies import surface_map
from reid_datasets.scenes import Colour, Material, Palette, camera_of, photograph
from reid_datasets.skeleton import FAR, Shape, Surface, draw_pose

_Option = TypeVar("_Option")

# Streams of random numbers that must never meet, whatever the other numbers of their seeds are.
_LOOKS, _REFLECTANCE, _HEAT, _POSE, _SHOT = range(101, 106)

TWINS: dict[int, Modality] = {1: "NI", 3: "TI"}
TWIN_PERIOD = 5
"""Of every five pairs (1, 2), (3, 4), ... one is told apart by NI only and one by TI only.

Two of five pairs, spread evenly, so that every run of ten identities has both kinds: a method that
ignores a modality then confuses a fifth of the identities with one other, which costs it some
points of mAP that any table shows, while most identities can still be learned from any modality.
"""

_GARMENTS: tuple[Colour, ...] = (
    (28, 28, 32), (70, 72, 78), (128, 130, 134), (190, 190, 188), (236, 236, 232),
    (196, 36, 40), (118, 28, 40), (232, 116, 132), (238, 132, 40), (222, 188, 48),
    (150, 160, 60), (62, 108, 52), (40, 148, 96), (36, 140, 150), (90, 170, 220),
    (46, 92, 190), (30, 40, 96), (98, 62, 150), (176, 84, 170), (112, 74, 48),
    (186, 150, 110), (226, 208, 176), (84, 96, 58), (92, 120, 160),
)  # fmt: skip
_HAIR: tuple[Colour, ...] = (
    (24, 20, 20),
    (52, 36, 28),
    (96, 66, 40),
    (170, 134, 84),
    (150, 148, 146),
)
_SKIN: tuple[Colour, ...] = (
    (236, 196, 172),
    (214, 168, 138),
    (176, 126, 94),
    (128, 86, 62),
    (84, 58, 44),
)

# How much of the body's heat comes through, before an identity's own insulation is added.
_UPPER_HEAT = {"t-shirt": 0.68, "long sleeve": 0.60, "jacket": 0.50, "dress": 0.62}
_LOWER_HEAT = {"trousers": 0.62, "shorts": 0.64, "skirt": 0.58}
_INSULATION_RANGE = 0.42


@dataclass(frozen=True)
class Identity:
    """A person: the cut of body and clothes, and what each surface sends to each modality."""

    pid: int
    shape: Shape
    materials: dict[Surface, Material]


class Twin(NamedTuple):
    """The identity that looks the same, and the only modality that tells the two apart."""

    pid: int
    told_by: Modality


def twin_of(pid: int) -> Twin | None:
    """The look-alike of an identity, or None for those that have none."""
    told_by = TWINS.get(_pair(pid) % TWIN_PERIOD)
    return Twin(pid + 1 if pid % 2 else pid - 1, told_by) if told_by else None


def draw_identity(seed: int, pid: int) -> Identity:
    """The person of a number: the same for the same two numbers, whatever was drawn before."""
    twin = twin_of(pid)
    # Twins draw from one stream, so that they agree on all but what the shift below changes.
    key = (1, _pair(pid)) if twin else (0, pid)
    looks = np.random.default_rng((seed, _LOOKS, *key))
    shape = _draw_shape(looks)
    colours = _draw_colours(looks)
    # The second of two twins is another one in this modality.
    other = twin.told_by if twin and twin.pid < pid else None
    reflectance = _levels((seed, _REFLECTANCE, *key), other == "NI")
    insulation = _levels((seed, _HEAT, *key), other == "TI")
    heat = _heat_of(shape, insulation)
    ni = _reflectance_of(reflectance)
    materials = {s: Material(colours[s], ni[s], heat[s]) for s in colours}
    return Identity(pid, shape, materials)


def draw_triplet(
    identity: Identity, camid: int, index: int, seed: int, size: tuple[int, int] = (256, 128)
) -> dict[Modality, Image.Image]:
    """One moment of a person before one camera, in all three modalities at the same pixels.

    Args:
        identity: The person.
        camid: The camera's number; each has its own place, viewpoint and light.
        index: The picture's number among those of this person and camera.
        seed: The set's seed, the one the identity was drawn with.
        size: Height and width of the pictures.
    """
    key = (identity.pid, camid, index)
    camera = camera_of(seed, camid)
    rng = np.random.default_rng((seed, _POSE, *key))
    pose = draw_pose(rng, camera.yaw, camera.yaw_spread, camera.pitch)
    surfaces = surface_map(identity.shape, pose, size)
    shot = np.random.default_rng((seed, _SHOT, *key))
    return photograph(surfaces, _palette(identity), camera, shot, size)


def _pair(pid: int) -> int:
    return (pid + 1) // 2


def _levels(key: tuple[int, ...], shifted: bool) -> dict[Surface, float]:
    levels = np.random.default_rng(key).random(len(Surface))
    # Half the range apart: a twin must not be one by chance in the modality that tells it.
    shift = 0.5 if shifted else 0.0
    return {surface: (float(levels[surface]) + shift) % 1.0 for surface in Surface}


def _draw_shape(rng: np.random.Generator) -> Shape:
    height, width = rng.random(2).tolist()
    return Shape(
        height=0.80 + 0.25 * height,
        width=0.88 + 0.34 * width,
        hair=_pick(rng, ("short", "short", "short", "long", "long", "bun", "none")),
        upper=_pick(
            rng, ("t-shirt", "t-shirt", "long sleeve", "long sleeve", "jacket", "jacket", "dress")
        ),
        pattern=_pick(rng, ("plain", "plain", "stripes", "blocks", "logo")),
        bands=int(rng.integers(3, 7)),
        lower=_pick(rng, ("trousers", "trousers", "trousers", "shorts", "skirt")),
        trim=bool(rng.random() < 0.2),
        bag=_pick(rng, ("none", "none", "backpack", "shoulder bag")),
        bag_side=1 if rng.random() < 0.5 else -1,
        hat=bool(rng.random() < 0.15),
        glasses=bool(rng.random() < 0.35),
    )


def _pick(rng: np.random.Generator, options: tuple[_Option, ...]) -> _Option:
    return options[int(rng.integers(len(options)))]


def _draw_colours(rng: np.random.Generator) -> dict[Surface, Colour]:
    upper, mark, inner, lower, trim, shoes, bag, hat = rng.permutation(len(_GARMENTS))[:8].tolist()
    skin = _pick(rng, _SKIN)
    return {
        Surface.SKIN: skin,
        Surface.FACE: skin,
        Surface.HAIR: _pick(rng, _HAIR),
        Surface.UPPER: _dyed(rng, upper),
        Surface.UPPER_MARK: _dyed(rng, mark),
        Surface.INNER: _dyed(rng, inner),
        Surface.LOWER: _dyed(rng, lower),
        Surface.LOWER_MARK: _dyed(rng, trim),
        Surface.SHOES: _dyed(rng, shoes),
        Surface.BAG: _dyed(rng, bag),
        Surface.HAT: _dyed(rng, hat),
        Surface.GLASSES: (30, 30, 34),
    }


def _dyed(rng: np.random.Generator, garment: int) -> Colour:
    red, green, blue = (c + int(rng.integers(-14, 15)) for c in _GARMENTS[garment])
    return (max(8, min(248, red)), max(8, min(248, green)), max(8, min(248, blue)))


def _reflectance_of(levels: dict[Surface, float]) -> dict[Surface, float]:
    """Near infrared: dyes hardly matter there, cloth does, so it is drawn apart from the colour."""
    ni = {surface: 0.10 + 0.82 * level for surface, level in levels.items()}
    # Skin of every tone and hair of most colours look alike beyond red.
    ni[Surface.SKIN] = 0.56 + 0.08 * levels[Surface.SKIN]
    ni[Surface.FACE] = ni[Surface.SKIN]
    ni[Surface.HAIR] = 0.14 + 0.20 * levels[Surface.HAIR]
    ni[Surface.GLASSES] = 0.10
    return ni


def _heat_of(shape: Shape, levels: dict[Surface, float]) -> dict[Surface, float]:
    """Thermal infrared: bare skin is warm, thick cloth keeps the warmth in, bags have none."""

    def worn(base: float, surface: Surface) -> float:
        return base + _INSULATION_RANGE * (levels[surface] - 0.5)

    upper = worn(_UPPER_HEAT[shape.upper], Surface.UPPER)
    lower = worn(_LOWER_HEAT[shape.lower], Surface.LOWER)
    return {
        Surface.SKIN: 0.90,
        Surface.FACE: 0.97,
        Surface.HAIR: 0.58 + 0.12 * levels[Surface.HAIR],
        Surface.UPPER: upper,
        # A print or a stripe is no other cloth: heat shows next to nothing of it.
        Surface.UPPER_MARK: upper + 0.05 * (levels[Surface.UPPER_MARK] - 0.5),
        Surface.INNER: min(0.85, upper + 0.16),
        Surface.LOWER: lower,
        Surface.LOWER_MARK: lower,
        Surface.SHOES: worn(0.46, Surface.SHOES),
        Surface.BAG: 0.16 + 0.12 * levels[Surface.BAG],
        Surface.HAT: worn(0.46, Surface.HAT),
        Surface.GLASSES: 0.28,
    }


def _palette(identity: Identity) -> Palette:
    palette = Palette.empty()
    for surface, material in identity.materials.items():
        palette.put(int(surface), material)
        palette.put(int(surface) + FAR, material.shaded())
    return palette
