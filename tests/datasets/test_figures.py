"""The drawn people: the same for the same numbers, aligned, and told apart as promised."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from harness.spec.modality import MODALITIES, Modality
from reid_datasets.figures import draw_identity, draw_triplet, twin_of
from reid_datasets.names import embedded_names, parse
from reid_datasets.scenes import Material
from reid_datasets.skeleton import Surface

Array = npt.NDArray[np.float64]


def _bytes(pid: int, camid: int = 1, index: int = 0, seed: int = 0) -> dict[Modality, bytes]:
    triplet = draw_triplet(draw_identity(seed, pid), camid, index, seed)
    return {m: image.tobytes() for m, image in triplet.items()}


def test_the_same_numbers_give_the_same_pictures_whatever_was_drawn_before() -> None:
    first = _bytes(7, camid=2, index=5, seed=3)
    for pid in (9, 8, 11):
        _bytes(pid, seed=4)
    assert _bytes(7, camid=2, index=5, seed=3) == first


@pytest.mark.parametrize("change", [{"pid": 8}, {"camid": 1}, {"index": 6}, {"seed": 4}])
def test_every_number_matters_in_every_modality(change: dict[str, int]) -> None:
    numbers = {"pid": 7, "camid": 2, "index": 5, "seed": 3}
    before, after = _bytes(**numbers), _bytes(**(numbers | change))
    assert all(before[m] != after[m] for m in MODALITIES)


def test_the_drawing_is_pinned() -> None:
    """If this fails on purpose, raise the VERSION of synthesize.py and write the new numbers."""
    triplet = draw_triplet(draw_identity(0, 1), 1, 0, 0)
    seen = {
        m: list(i.convert("L").resize((2, 2), Image.Resampling.BOX).tobytes())
        for m, i in triplet.items()
    }
    pinned = {"RGB": [102, 103, 74, 70], "NI": [71, 69, 79, 73], "TI": [104, 136, 101, 98]}
    # A grey level of slack, for versions of Pillow that round otherwise.
    assert all(np.abs(np.subtract(seen[m], pinned[m])).max() <= 1 for m in MODALITIES), seen


@pytest.mark.parametrize("size", [(256, 128), (128, 64), (288, 144), (96, 96)])
def test_pictures_have_the_size_and_the_channels_asked_for(size: tuple[int, int]) -> None:
    triplet = draw_triplet(draw_identity(0, 1), 1, 0, 0, size)
    assert tuple(triplet) == MODALITIES
    for modality, image in triplet.items():
        pixels = np.asarray(image)
        assert pixels.shape == (*size, 3) and image.mode == "RGB"
        grey = bool(
            (pixels[..., 0] == pixels[..., 1]).all() and (pixels[..., 1] == pixels[..., 2]).all()
        )
        assert grey == (modality != "RGB")


def test_the_person_covers_the_same_pixels_in_all_three() -> None:
    identity = draw_identity(0, 3)
    worn = list(identity.materials)
    bright, dark = (
        draw_triplet(replace(identity, materials=dict.fromkeys(worn, material)), 1, 0, 0)
        for material in (Material((250, 250, 250), 1.0, 1.0), Material((0, 0, 0), 0.0, 0.0))
    )
    covered = {}
    for m in MODALITIES:
        light, black = (np.asarray(t[m].convert("L"), float) for t in (bright, dark))
        covered[m] = light - black > 0.5 * np.percentile(light - black, 95)
    for m in ("NI", "TI"):
        both, either = covered["RGB"] & covered[m], covered["RGB"] | covered[m]
        assert both.sum() / either.sum() > 0.9
    assert 0.1 < covered["RGB"].mean() < 0.5


@pytest.mark.parametrize("told_by", ["NI", "TI"])
def test_twins_differ_in_one_modality_only(told_by: Modality) -> None:
    pairs = [p for p in range(1, 40, 2) if (t := twin_of(p)) is not None and t.told_by == told_by]
    assert len(pairs) >= 4
    for pid in pairs:
        twin = twin_of(pid)
        assert twin is not None and twin_of(twin.pid) == (pid, told_by)
        first, second = draw_identity(0, pid), draw_identity(0, twin.pid)
        # Under the same number, pose, place, light and noise are the same too.
        ours = draw_triplet(first, 1, 0, 0)
        theirs = draw_triplet(replace(second, pid=pid), 1, 0, 0)
        for m in MODALITIES:
            distance = np.abs(np.asarray(ours[m], float) - np.asarray(theirs[m], float))
            if m == told_by:
                assert (distance > 12).mean() > 0.03
            else:
                assert distance.max() == 0


def test_a_fifth_of_any_ten_people_are_twins_of_each_kind() -> None:
    for start in (1, 259, 501):
        twins = [twin_of(pid) for pid in range(start, start + 10)]
        told = [t.told_by for t in twins if t is not None]
        assert sorted(told) == ["NI", "NI", "TI", "TI"]


def test_infrared_brightness_and_warmth_do_not_follow_from_the_colour() -> None:
    rows = []
    for pid in range(1, 600):
        material = draw_identity(0, pid).materials[Surface.UPPER]
        rows.append((sum(material.colour), material.ni, material.heat))
    correlation = np.corrcoef(np.array(rows).T)
    assert np.abs(correlation[np.triu_indices(3, 1)]).max() < 0.12


def test_people_are_warm_and_bags_are_cold() -> None:
    for pid in range(1, 100):
        heat = {s: m.heat for s, m in draw_identity(0, pid).materials.items()}
        assert heat[Surface.BAG] < heat[Surface.UPPER] < heat[Surface.SKIN] < heat[Surface.FACE]


def test_the_embedded_people_can_be_told_apart_but_not_by_a_simple_descriptor() -> None:
    """Eight stripes of means; measured: RGB 45.3, NI 40.5, TI 22.0, all 78.1, chance 5 to 6."""
    names = [parse(name) for name in embedded_names()["test"]]
    identities = {pid: draw_identity(0, pid) for pid, _, _ in names}
    triplets = [draw_triplet(identities[pid], camid, index, 0) for pid, camid, index in names]
    features = {m: np.stack([_stripes(t[m]) for t in triplets]) for m in MODALITIES}
    pids, camids = (np.array([n[i] for n in names]) for i in (0, 1))
    single = {m: _mean_ap(f, pids, camids) for m, f in features.items()}
    fused = _mean_ap(np.concatenate(list(features.values()), axis=1), pids, camids)
    noise = np.random.default_rng(0).random((len(names), 8))
    chance = _mean_ap(noise, pids, camids)
    assert min(single.values()) > 2.5 * chance
    assert max(single.values()) + 10 < fused < 90


def _stripes(image: Image.Image) -> Array:
    pixels = np.asarray(image, dtype=np.float64)
    height, width, _ = pixels.shape
    middle = pixels[:, width // 4 : -width // 4]
    stripes = middle.reshape(8, height // 8, -1, 3).mean(axis=(1, 2)).ravel()
    levels: Array = (stripes - stripes.mean()) / np.linalg.norm(stripes - stripes.mean())
    return levels


def _mean_ap(features: Array, pids: npt.NDArray[np.int_], camids: npt.NDArray[np.int_]) -> float:
    """mAP in per cent over the other cameras' pictures."""
    distance = ((features[:, None] - features[None]) ** 2).sum(axis=-1)
    precisions = []
    for query in range(len(pids)):
        kept = (pids != pids[query]) | (camids != camids[query])
        order = np.argsort(distance[query][kept], kind="stable")
        hits = np.flatnonzero((pids[kept] == pids[query])[order])
        precisions.append(np.mean(np.arange(1, len(hits) + 1) / (hits + 1)))
    return 100 * float(np.mean(precisions))
