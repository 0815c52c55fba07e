"""Augmentation of batches beside the same thing done image by image, with torchvision's."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torchvision.transforms import RandomCrop, RandomErasing
from torchvision.transforms.v2 import functional as one

from harness.spec.modality import MODALITIES, Modality
from harness.spec.recipe import Augmentation
from harness.training.augment import crop_and_flip, erase
from harness.training.draws import Draws, epoch_draws

# Of statistics that are compared: seeds are fixed, so these say how far is far, not how often
# a test fails. Beyond them lies one draw in ten thousand where both distributions are the same.
CHI_SQUARED_24 = 60.0
KOLMOGOROV = 2.23


def _images(count: int = 4) -> dict[Modality, Tensor]:
    picture = torch.arange(1, 3 * 6 * 4 + 1).reshape(6, 4, 3)
    return {m: picture.repeat(count, 1, 1, 1).clone() for m in MODALITIES}


def _generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _draws(
    whole: Tensor, size: tuple[int, int], recipe: Augmentation, generator: torch.Generator
) -> Draws:
    modalities, count = whole.shape[:2]
    return epoch_draws([count], modalities, size, recipe, generator)[0]


def _cropped(
    images: dict[Modality, Tensor], recipe: Augmentation, generator: torch.Generator
) -> dict[Modality, Tensor]:
    """Pixels (n, h, w, 3) by modality, drawn and moved."""
    whole = torch.stack([*images.values()])
    draws = _draws(whole, (whole.shape[2], whole.shape[3]), recipe, generator)
    return dict(zip(images, crop_and_flip(whole, draws, recipe.pad).unbind(0), strict=True))


def _erased(
    images: dict[Modality, Tensor], recipe: Augmentation, generator: torch.Generator
) -> dict[Modality, Tensor]:
    """Images (n, 3, h, w) by modality, drawn and erased."""
    whole = torch.stack([*images.values()])
    draws = _draws(whole, (whole.shape[3], whole.shape[4]), recipe, generator)
    return dict(zip(images, erase(whole, draws).unbind(0), strict=True))


@pytest.mark.parametrize("joint", [False, True])
def test_flips_mirror_about_half_of_the_images(joint: bool) -> None:
    images = _images(800)
    out = _cropped(images, Augmentation(flip=0.5, joint=joint), _generator())
    flipped = {m: (out[m] != images[m]).flatten(1).any(1) for m in out}
    for modality, which in flipped.items():
        assert torch.equal(out[modality][which], images[modality][which].flip(2))
        assert 0.44 < which.float().mean() < 0.56
    alike = (flipped["RGB"] == flipped["NI"]) & (flipped["NI"] == flipped["TI"])
    # Drawn apart, three coins fall alike in a quarter of the samples, as in the authors' code.
    assert alike.all() if joint else 0.19 < alike.float().mean() < 0.31


@given(
    seed=st.integers(0, 999),
    count=st.integers(1, 4),
    pad=st.integers(0, 3),
    flip=st.sampled_from([0.0, 0.5, 1.0]),
    joint=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_the_batch_is_what_each_image_gives_alone(
    seed: int, count: int, pad: int, flip: float, joint: bool
) -> None:
    """Also holds the draws: shifts, then flips, for each modality or once."""
    draw = _generator(seed)
    images = {
        m: torch.randint(0, 256, (count, 5, 7, 3), dtype=torch.uint8, generator=draw)
        for m in MODALITIES
    }
    recipe = Augmentation(flip=flip, pad=pad, joint=joint)
    out = _cropped(images, recipe, _generator(seed))
    draw, drawn = _generator(seed), None
    for modality, batch in images.items():
        if drawn is None or not joint:
            shifts = torch.randint(0, 2 * pad + 1, (count, 2), generator=draw)
            drawn = shifts, torch.rand(count, generator=draw) < flip
        for i, image in enumerate(batch):
            top, left = drawn[0][i].tolist()
            alone = one.crop(one.pad(image.permute(2, 0, 1), [pad] * 4), top, left, 5, 7)
            alone = one.hflip(alone) if drawn[1][i] else alone
            assert torch.equal(out[modality][i], alone.permute(1, 2, 0))


def _shifts_of(out: Tensor, picture: Tensor, pad: int) -> Tensor:
    """(n, 2) where each window was cut; every pixel of the picture is another, none is 0."""
    padded = torch.nn.functional.pad(picture, (0, 0, pad, pad, pad, pad))
    h, w = picture.shape[:2]
    places = [(y, x) for y in range(2 * pad + 1) for x in range(2 * pad + 1)]
    windows = torch.stack([padded[y : y + h, x : x + w] for y, x in places])
    same = (out[:, None] == windows[None]).flatten(2).all(2)
    assert (same.sum(1) == 1).all(), "each is one window of the picture with a black border"
    return torch.tensor(places)[same.int().argmax(1)]


def _chi_squared(shifts: Tensor) -> float:
    counts = torch.bincount(shifts[:, 0] * 5 + shifts[:, 1], minlength=25).float()
    expected = len(shifts) / 25
    return float(((counts - expected).square() / expected).sum())


def test_crops_are_as_uniform_as_torchvisions() -> None:
    count = 2000
    images = {"RGB": _images(count)["RGB"]}
    recipe = Augmentation(flip=0, pad=2)
    out = _cropped(images, recipe, _generator())["RGB"]  # type: ignore[arg-type]
    ours = _shifts_of(out, images["RGB"][0], 2)
    torch.manual_seed(0)
    padded = torch.zeros(3, 10, 8)
    theirs = torch.tensor([RandomCrop.get_params(padded, (6, 4))[:2] for _ in range(count)])
    assert _chi_squared(theirs) < CHI_SQUARED_24
    assert _chi_squared(ours) < CHI_SQUARED_24


@pytest.mark.parametrize("joint", [False, True])
def test_crops_of_a_sample_go_together_only_where_asked(joint: bool) -> None:
    images = _images(600)
    out = _cropped(images, Augmentation(flip=0, pad=2, joint=joint), _generator(3))
    rgb, ni = (_shifts_of(out[m], images[m][0], 2) for m in ("RGB", "NI"))
    alike = (rgb == ni).all(1).float().mean()
    assert alike == 1 if joint else 0.01 < alike < 0.08  # one in 25


def test_erasing_blanks_one_rectangle() -> None:
    images = {"TI": torch.ones(300, 3, 32, 16)}
    out = _erased(images, Augmentation(erase=0.5), _generator())["TI"]  # type: ignore[arg-type]
    blank = out[:, 0] == 0
    assert torch.equal(out[:, 0], out[:, 2])
    touched = blank.flatten(1).any(1)
    assert 0.4 < touched.float().mean() < 0.6
    for mask in blank[touched]:
        rows, columns = mask.any(1).nonzero(), mask.any(0).nonzero()
        box = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        assert box.all(), "the blank is a rectangle"
    share = blank[touched].float().mean((1, 2))
    assert share.min() > 0.005 and share.max() < 0.55


def _rectangles(blank: Tensor) -> Tensor:
    """(n, 4) top, left, height and width of what is blank in (n, h, w)."""
    rows, columns = blank.any(2).int(), blank.any(1).int()
    return torch.stack([rows.argmax(1), columns.argmax(1), rows.sum(1), columns.sum(1)], 1).float()


def _largest_gap(ours: Tensor, theirs: Tensor) -> float:
    """Kolmogorov and Smirnov's statistic of two samples of one size, times sqrt(n / 2)."""
    values = torch.cat([ours, theirs]).unique()
    shares = [
        torch.searchsorted(s.sort().values, values, right=True) / len(s) for s in (ours, theirs)
    ]
    return float((shares[0] - shares[1]).abs().max()) * (len(ours) / 2) ** 0.5


@pytest.mark.parametrize("most", [0.4, 1 / 3])
@pytest.mark.parametrize("size", [(64, 32), (32, 32)])
def test_erased_rectangles_are_distributed_as_torchvisions(
    size: tuple[int, int], most: float
) -> None:
    """On tall images every sixth rectangle would be wider than the image and is drawn again."""
    count = 3000
    images = {"RGB": torch.ones(count, 3, *size)}
    recipe = Augmentation(erase=1, erase_area=(0.02, most))
    blank = _erased(images, recipe, _generator())["RGB"][:, 0] == 0  # type: ignore[arg-type]
    ours = _rectangles(blank)
    torch.manual_seed(0)
    ratio, scale = [0.3, 1 / 0.3], [0.02, most]
    theirs = torch.tensor(
        [RandomErasing.get_params(torch.ones(3, *size), scale, ratio)[:4] for _ in range(count)]
    ).float()
    for name, of in {
        "area": lambda r: r[:, 2] * r[:, 3],
        "aspect": lambda r: r[:, 2] / r[:, 3],
        "top": lambda r: r[:, 0],
        "left": lambda r: r[:, 1],
        "height": lambda r: r[:, 2],
        "width": lambda r: r[:, 3],
    }.items():
        assert _largest_gap(of(ours), of(theirs)) < KOLMOGOROV, name


@pytest.mark.parametrize("joint", [False, True])
def test_erasing_of_a_sample_goes_together_only_where_asked(joint: bool) -> None:
    images: dict[Modality, Tensor] = {m: torch.ones(200, 3, 32, 16) for m in MODALITIES}
    out = _erased(images, Augmentation(erase=0.5, joint=joint), _generator(1))
    same = torch.tensor([torch.equal(a, b) for a, b in zip(out["RGB"], out["TI"], strict=True)])
    # Drawn apart, two images are alike where neither is erased: a quarter.
    assert same.all() if joint else 0.15 < same.float().mean() < 0.35


def test_the_same_generator_gives_the_same_batch() -> None:
    recipe = Augmentation(flip=0.5, pad=2)
    one_, two = (_cropped(_images(), recipe, _generator(7)) for _ in range(2))
    assert all(torch.equal(one_[m], two[m]) for m in one_)
