"""Corruptions: the same bits in any order and batch, for every kind and severity."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from numpy.typing import NDArray

from harness.corruptions.apply import EFFECTS, corrupt, corrupt_all
from harness.corruptions.field import Stream
from harness.spec.corruption import KINDS, WEATHERS, Corruption, Drawn, Kind
from harness.spec.modality import MODALITIES, Modality
from tests.conftest import ROOT


def picture(height: int = 64, width: int = 32, seed: int = 0) -> NDArray[np.uint8]:
    """A smooth picture with edges, made of integers alone."""
    rows, columns = np.mgrid[:height, :width]
    planes = [
        (rows * 3 + seed * 40) % 256,
        (columns // 4 * 37 + rows // 8 * 90) % 256,
        (rows * columns // 8) % 256,
    ]
    return np.stack(planes, axis=2).astype(np.uint8)


def test_there_are_twenty_at_five_severities() -> None:
    assert len(KINDS) == len(EFFECTS) == 20
    assert all(len(effect.levels) == 5 for effect in EFFECTS.values())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("grey", [False, True])
def test_each_changes_the_image_and_more_with_severity(kind: Kind, grey: bool) -> None:
    image = picture(128, 64)
    changes = []
    for severity in range(1, 6):
        found = corrupt(image, Drawn(kind, severity, 11), grey)
        assert found.shape == image.shape and found.dtype == np.uint8
        changes.append(np.abs(found.astype(int) - image.astype(int)).mean())
    assert min(changes) > 0.3
    # Saturation goes down first and then up, and mud is not more than water, only darker.
    if kind not in ("saturate", "spatter"):
        assert changes[4] > changes[2] > changes[0]


@pytest.mark.parametrize("kind", ["gaussian-noise", "impulse-noise", "frost", "spatter", "snow"])
def test_a_grey_camera_stays_grey(kind: Kind) -> None:
    grey = np.repeat(picture()[..., :1], 3, axis=2)
    for severity in (2, 5):
        found = corrupt(grey, Drawn(kind, severity, 5), grey=True)
        assert (found[..., :1] == found).all()


def test_no_order_batch_or_worker_count_changes_a_bit() -> None:
    spec = Corruption(kind="mixed", severity="mixed")
    images = np.stack([picture(seed=i) for i in range(12)])
    drawn = [spec.drawn(f"{i}.jpg", "RGB") for i in range(12)]
    whole = corrupt_all(images, drawn, grey=False, workers=1)
    order = np.random.default_rng(0).permutation(12)
    again = np.zeros_like(whole)
    for start in range(0, 12, 5):
        chosen = order[start : start + 5]
        part = corrupt_all(images[chosen], [drawn[i] for i in chosen], grey=False, workers=3)
        again[chosen] = part
    assert (again == whole).all()
    assert (whole != images).any(axis=(1, 2, 3)).all()


PIXELS = {
    "gaussian-noise": "83e2cbaae0130dad",
    "impulse-noise": "efafd465da03c8f5",
    "fog": "26509ee6bd9099dd",
    "pixelate": "b76b2d717db5531d",
    "contrast": "1a1f06500b663170",
}


def test_the_numbers_behind_are_fixed() -> None:
    # The raw words of PCG64 are promised; our way from them to numbers is exact arithmetic.
    stream = Stream(7)
    text = np.concatenate([stream.uniform(50), stream.normal(50)]).astype("<f8").tobytes()
    assert hashlib.sha256(text).hexdigest()[:16] == "eb97463257af079e"
    normal = Stream(1).normal(100_000)
    assert abs(normal.mean()) < 0.02 and abs(normal.std() - 1) < 0.02


@pytest.mark.parametrize("kind", ["gaussian-noise", "impulse-noise", "fog", "pixelate", "contrast"])
def test_the_pixels_are_fixed(kind: Kind) -> None:
    # If these change, every corrupted number did: raise Corruption.version.
    text = b"".join(corrupt(picture(), Drawn(kind, s, 3), False).tobytes() for s in range(1, 6))
    assert hashlib.sha256(text).hexdigest()[:16] == PIXELS[kind]


def test_what_is_drawn_depends_on_name_modality_and_seed_alone() -> None:
    spec = Corruption(kind="mixed", severity="mixed")
    names = [f"{i:03d}.jpg" for i in range(200)]
    once = [spec.drawn(n, m) for n in names for m in MODALITIES]
    assert once == [spec.drawn(n, m) for n in names for m in MODALITIES]
    kinds = {d.kind for d in once if d}
    assert kinds == set(KINDS) and {d.severity for d in once if d} == {1, 2, 3, 4, 5}
    other = Corruption(kind="mixed", severity="mixed", seed=1)
    assert once != [other.drawn(n, m) for n in names for m in MODALITIES]


@pytest.mark.parametrize("modality", ["NI", "TI"])
@pytest.mark.parametrize("mode", ["independent", "correlated"])
def test_only_rgb_has_saturation(modality: Modality, mode: str) -> None:
    spec = Corruption.model_validate({"kind": "mixed", "severity": "mixed", "mode": mode})
    drawn = [spec.drawn(f"{i}.jpg", modality) for i in range(300)]
    assert all(d is not None and d.kind != "saturate" for d in drawn)
    assert Corruption(kind="saturate", severity=3).drawn("a.jpg", modality) is None
    assert Corruption(kind="saturate", severity=3).drawn("a.jpg", "RGB") is not None


def test_one_modality_alone() -> None:
    spec = Corruption(kind="fog", severity=2, modalities=("TI",))
    assert [spec.drawn("a.jpg", m) is None for m in MODALITIES] == [True, True, False]


def test_weather_hits_all_cameras_alike_when_correlated() -> None:
    spec = Corruption(kind="mixed", severity="mixed", mode="correlated")
    alike = 0
    for i in range(300):
        found = [spec.drawn(f"{i}.jpg", m) for m in MODALITIES]
        kinds = {d.kind for d in found if d}
        if kinds & set(WEATHERS):
            assert len(set(found)) == 1
            alike += 1
        elif found[0] and (found[0].kind.endswith("blur") or found[0].kind == "spatter"):
            assert len(kinds) == 1
            assert len({d.field for d in found if d}) == 3
    assert alike > 30
    apart = Corruption(kind="fog", severity=3)
    assert len({apart.drawn("a.jpg", m) for m in MODALITIES}) == 3


def test_the_table_in_the_guide_is_the_code() -> None:
    guide = (ROOT / "docs" / "protocols.md").read_text()
    for kind, effect in EFFECTS.items():
        levels = ", ".join("/".join(f"{v:g}" for v in level) for level in effect.levels)
        (line,) = [row for row in guide.splitlines() if row.startswith(f"| {kind} |")]
        assert levels in line and effect.words in line
