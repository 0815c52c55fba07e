"""Cameras: where they look, what stands behind the person, and how they turn it into pictures."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageChops, ImageFilter

from harness.spec.modality import Modality
from reid_datasets.places import draw_place
from reid_datasets.skeleton import OVERSAMPLING

# Pixels go through sums, products and quotients only, which every processor rounds the same way;
# exponentials and powers differ in the last bit between machines, and so would the files.
Pixels = npt.NDArray[np.float32]
Colour = tuple[int, int, int]

_CAMERA, _PLACE = 201, 202
_PANORAMA = 5
"""A camera's place is drawn this many pictures wide; each picture shows a part of it."""

# Few enough that hardly anyone is seen in such pictures only, many enough to meet in every batch.
LOW_LIGHT_SHARE = 0.15
FLARE_SHARE = 0.06

_LAMP: Pixels = np.array([1.0, 0.94, 0.78], np.float32)


class Material(NamedTuple):
    """What a surface sends to each modality: colour, near infrared 0 to 1, warmth 0 to 1."""

    colour: Colour
    ni: float
    heat: float

    def shaded(self) -> Material:
        """The same surface in the shade of the body; warmth needs no light."""
        red, green, blue = (c * 3 // 4 for c in self.colour)
        return Material((red, green, blue), self.ni * 0.75, self.heat * 0.94)


class Palette(NamedTuple):
    """Look-up tables from the numbers of a surface map to a level, one for each channel."""

    tables: tuple[list[int], ...]

    @classmethod
    def empty(cls) -> Palette:
        """Tables in which every number stands for nothing."""
        return cls(tuple([0] * 256 for _ in range(6)))

    def put(self, number: int, material: Material) -> None:
        """Say what a number of the map stands for."""
        levels = (*material.colour, round(255 * material.ni), round(255 * material.heat), 255)
        for table, level in zip(self.tables, levels, strict=True):
            table[number] = level


@dataclass(frozen=True)
class Camera:
    """What all pictures of one camera have in common."""

    seed: int
    camid: int
    yaw: float
    yaw_spread: float
    pitch: float
    cast: tuple[float, float, float]
    exposure: float
    light: float
    lamp: tuple[float, float]
    lamp_gain: float
    ambient: float
    softness: float


@lru_cache(maxsize=64)
def camera_of(seed: int, camid: int) -> Camera:
    """The camera of a number: viewpoint, light and sensor follow from the two numbers alone."""
    rng = np.random.default_rng((seed, _CAMERA, camid))
    u = rng.random(12).tolist()
    # Odd cameras see people come, even ones see them go: what one shows, the other hides.
    front = math.pi * ((camid + 1) % 2)
    return Camera(
        seed=seed,
        camid=camid,
        yaw=front + (u[0] - 0.5) * 0.9,
        yaw_spread=0.9 + 0.4 * u[1],
        pitch=0.08 + 0.30 * u[2],
        cast=(0.94 + 0.12 * u[3], 0.96 + 0.08 * u[4], 0.94 + 0.12 * u[5]),
        exposure=0.84 + 0.22 * u[6],
        light=(u[7] - 0.5) * 1.2,
        lamp=(0.35 + 0.3 * u[8], 0.30 + 0.3 * u[9]),
        lamp_gain=0.85 + 0.25 * u[10],
        ambient=0.10 + 0.06 * u[11],
        softness=1.5 + 0.7 * u[1],
    )


def photograph(
    surfaces: Image.Image,
    palette: Palette,
    camera: Camera,
    rng: np.random.Generator,
    size: tuple[int, int],
) -> dict[Modality, Image.Image]:
    """Put the person before the camera's place and take the three pictures."""
    channels = [surfaces.point(table) for table in palette.tables]
    visible = Image.merge("RGB", channels[:3]).reduce(OVERSAMPLING)
    rest = Image.merge("RGB", channels[3:]).reduce(OVERSAMPLING)
    mask = rest.getchannel(2)
    place = _window(camera, rng, size)
    cover = _pixels(mask)[..., None] / np.float32(255)
    rest_pixels = _pixels(rest)
    scene = place * (1 - cover) * _shadow(mask, size)
    folds = _folds(rng, size)
    shade = _shading(mask, camera.light, size) + folds * np.float32(0.30)
    near = _nearness(mask)
    colour = scene[..., :3] + _pixels(visible) * shade
    ni = scene[..., 3:4] + rest_pixels[..., 0:1] * (shade * 0.6 + near * 0.4)
    # No lamp throws a shadow in the thermal picture, and loose cloth is a little cooler.
    warmth = np.float32(0.74) + near * np.float32(0.26) + folds * np.float32(0.12)
    heat = place[..., 4:5] * (1 - cover) + rest_pixels[..., 1:2] * warmth
    softness = camera.softness * (0.7 + 0.6 * rng.random())
    return {
        "RGB": _visible(colour, camera, softness, rng),
        "NI": _active_infrared(ni, camera, softness, rng),
        "TI": _thermal(heat, mask, camera, rng),
    }


def _visible(
    scene: Pixels, camera: Camera, softness: float, rng: np.random.Generator
) -> Image.Image:
    dim = 0.45 + 0.30 * rng.random() if rng.random() < LOW_LIGHT_SHARE else 1.0
    gain = camera.exposure * dim * (0.92 + 0.16 * rng.random())
    scene = scene * np.array([gain * cast for cast in camera.cast], np.float32)
    if rng.random() < FLARE_SHARE:
        scene = scene + _flare(rng, scene.shape[:2])
    scene = scene + _noise(rng, scene.shape, 4.5)
    return _soften(_image(scene), softness)


def _flare(rng: np.random.Generator, size: tuple[int, int]) -> Pixels:
    """A lamp that shines into the lens: a warm spot with a wide skirt."""
    x, y, reach = rng.random(3).tolist()
    far = _distance2(size, (0.1 + 0.8 * x, 0.05 + 0.6 * y)) / np.float32(0.004 + 0.010 * reach)
    spot = np.divide(260, 1 + far + far * far / 4, dtype=np.float32)
    flare: Pixels = spot[..., None] * _LAMP
    return flare


def _active_infrared(
    scene: Pixels, camera: Camera, softness: float, rng: np.random.Generator
) -> Image.Image:
    gain = camera.lamp_gain * (0.92 + 0.16 * rng.random())
    # The lamp sits beside the lens: bright in the middle, falling off to the corners.
    lit = gain / (1 + 1.1 * _distance2(scene.shape[:2], camera.lamp))
    scene = scene * lit[..., None]
    if rng.random() < FLARE_SHARE:
        scene = scene + 0.25 * _flare(rng, scene.shape[:2])[..., :1]
    scene = scene + _noise(rng, scene.shape, 5.5)
    return _grey(_soften(_image(scene[..., 0]), softness))


def _thermal(
    scene: Pixels, mask: Image.Image, camera: Camera, rng: np.random.Generator
) -> Image.Image:
    unit = mask.height / 256
    blurred = _image(scene[..., 0]).filter(ImageFilter.BoxBlur(1.3 * unit))
    halo = blurred.filter(ImageFilter.BoxBlur(7 * unit))
    gain = 0.86 + 0.10 * rng.random()
    offset = 6 + 18 * rng.random()
    pixels = _pixels(blurred) * np.float32(0.84 * gain) + _pixels(halo) * np.float32(0.16 * gain)
    pixels = pixels + _noise(rng, pixels.shape, 1.5)
    return _grey(_image(pixels + np.float32(offset)))


def _noise(rng: np.random.Generator, shape: tuple[int, ...], deviation: float) -> Pixels:
    """Sums of two random bytes: nearly bell-shaped, exact everywhere, and fast."""
    dice: Pixels = rng.integers(0, 256, (2, *shape), np.uint8).astype(np.float32)
    both: Pixels = dice[0] + dice[1]
    return (both - np.float32(255)) * np.float32(deviation / 104.5)


def _pixels(image: Image.Image) -> Pixels:
    return np.asarray(image).astype(np.float32)


def _image(pixels: Pixels) -> Image.Image:
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def _grey(image: Image.Image) -> Image.Image:
    return Image.merge("RGB", (image, image, image))


def _soften(image: Image.Image, factor: float) -> Image.Image:
    """What a small far-away person looks like after enlarging the crop."""
    width, height = image.size
    small = image.resize((round(width / factor), round(height / factor)), Image.Resampling.BILINEAR)
    return small.resize((width, height), Image.Resampling.BICUBIC)


@lru_cache(maxsize=16)
def _grid(size: tuple[int, int]) -> tuple[Pixels, Pixels]:
    height, width = size
    ys = (np.arange(height, dtype=np.float32) + np.float32(0.5)) / np.float32(height)
    xs = (np.arange(width, dtype=np.float32) + np.float32(0.5)) / np.float32(height)
    return ys[:, None], xs[None, :]


def _distance2(size: tuple[int, int], centre: tuple[float, float]) -> Pixels:
    """Squared distance, in picture heights, from a place given as shares of width and height."""
    ys, xs = _grid(size)
    x, y = centre[0] * size[1] / size[0], centre[1]
    dx, dy = xs - np.float32(x), ys - np.float32(y)
    return dx * dx + dy * dy


def _nearness(mask: Image.Image) -> Pixels:
    """1 inside the body, less towards its outline, where the surface turns away."""
    return _pixels(mask.filter(ImageFilter.BoxBlur(mask.height / 60)))[..., None] / np.float32(255)


def _shading(mask: Image.Image, light: float, size: tuple[int, int]) -> Pixels:
    """Roundness of the body under a light from above and from one side."""
    height = size[0]
    soft = mask.filter(ImageFilter.BoxBlur(height / 45))
    reach = max(1, height // 42)
    slope = _pixels(ImageChops.offset(soft, reach, 0)) - _pixels(ImageChops.offset(soft, -reach, 0))
    from_above = np.float32(1.04) - np.float32(0.2) * _grid(size)[0]
    level: Pixels = from_above + slope * np.float32(light * 0.6 / 255)
    return level[..., None]


def _folds(rng: np.random.Generator, size: tuple[int, int]) -> Pixels:
    """Soft upright streaks around 0, as hanging cloth has."""
    height, width = size
    coarse = rng.integers(0, 256, (max(2, height // 18), max(2, width // 7)), np.uint8)
    folds = Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
    return ((_pixels(folds) - np.float32(128)) * np.float32(1 / 255))[..., None]


def _shadow(mask: Image.Image, size: tuple[int, int]) -> Pixels:
    """The dark patch on the floor around the feet."""
    box = mask.getbbox() or (0, 0, size[1], size[0])
    ys, xs = _grid(size)
    x = np.float32((box[0] + box[2]) / 2 / size[0])
    y = np.float32((box[3] - 0.015 * size[0]) / size[0])
    dx, dy = (xs - x) / np.float32(0.13), (ys - y) / np.float32(0.035)
    far = dx * dx + dy * dy
    light: Pixels = 1 - 0.45 / (1 + far * far)
    return light[..., None]


def _window(camera: Camera, rng: np.random.Generator, size: tuple[int, int]) -> Pixels:
    whole = _place(camera, size)
    left = int(rng.integers(0, whole.shape[1] - size[1] + 1))
    top = int(rng.integers(0, whole.shape[0] - size[0] + 1))
    return whole[top : top + size[0], left : left + size[1]]


@lru_cache(maxsize=16)
def _place(camera: Camera, size: tuple[int, int]) -> Pixels:
    """The camera's surroundings, wider and higher than a picture: five channels, 0 to 255."""
    rng = np.random.default_rng((camera.seed, _PLACE, camera.camid))
    return draw_place(rng, camera.ambient, (size[0] * 9 // 8, size[1] * _PANORAMA))
