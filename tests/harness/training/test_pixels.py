"""Pixels are the array's, bit by bit, wherever they lie."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from harness.training.pixels import Pixels, Place, place_for

CPU = torch.device("cpu")
PLACES: tuple[Place, ...] = ("mapped", "resident", "streamed")
GPU = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")


def _array(count: int = 11) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (count, 3, 6, 4, 3), dtype=np.uint8)


def _plans() -> st.SearchStrategy[list[NDArray[np.int64]]]:
    batch = st.lists(st.integers(0, 10), max_size=5).map(lambda r: np.array(r, dtype=np.int64))
    return st.lists(batch, max_size=7)


def _hold(place: Place, device: torch.device, plan: list[NDArray[np.int64]]) -> None:
    images = _array()
    pixels = Pixels(images, device, place)
    found = list(pixels.stream(plan, (2, 0)))
    assert len(found) == len(plan)
    for rows, (last, first) in zip(plan, found, strict=True):
        assert last.dtype == torch.uint8 and last.device.type == device.type
        np.testing.assert_array_equal(last.cpu().numpy(), images[rows, 2])
        np.testing.assert_array_equal(first.cpu().numpy(), images[rows, 0])
        np.testing.assert_array_equal(pixels.take(rows, 1).cpu().numpy(), images[rows, 1])


@pytest.mark.parametrize("place", PLACES)
@given(plan=_plans())
@settings(max_examples=25, deadline=None)
def test_they_are_the_arrays(place: Place, plan: list[NDArray[np.int64]]) -> None:
    _hold(place, CPU, plan)


@pytest.mark.gpu
@GPU
@pytest.mark.parametrize("place", PLACES)
def test_they_are_the_arrays_on_a_gpu(place: Place) -> None:
    draw = np.random.default_rng(1)
    _hold(place, torch.device("cuda"), [draw.integers(0, 11, 8) for _ in range(40)])


@pytest.mark.gpu
@GPU
def test_a_small_array_moves_to_the_gpu() -> None:
    assert Pixels(_array(), torch.device("cuda")).place == "resident"


@pytest.mark.filterwarnings("error")
def test_a_read_only_map_is_read_without_a_warning(tmp_path: Path) -> None:
    _array().tofile(tmp_path / "images.u8")
    images = np.memmap(tmp_path / "images.u8", np.uint8, "r", shape=(11, 3, 6, 4, 3))
    pixels = Pixels(images, CPU)
    assert pixels.place == "mapped"
    taken = pixels.take(np.array([3]), 0)
    taken.zero_()
    np.testing.assert_array_equal(pixels.take(np.array([3]), 0)[0].numpy(), _array()[3, 0])


@pytest.mark.parametrize(
    ("needed", "free", "place"),
    [
        (1_400, 80_000, "resident"),  # RGBNT201 on an H100, in MB
        (9_500, 80_000, "resident"),  # Market1501-MM
        (1_400, 8_000, "resident"),
        (9_500, 16_000, "streamed"),
        (9_500, 19_000, "resident"),
        (9_501, 19_000, "streamed"),
        (1, 0, "streamed"),
    ],
)
def test_half_of_what_is_free_may_be_taken(needed: int, free: int, place: Place) -> None:
    assert place_for(needed, free) == place


def test_a_row_that_is_not_there_fails_in_its_turn() -> None:
    stream = Pixels(_array(), CPU, "streamed").stream([np.array([1]), np.array([99])], (0,))
    next(stream)
    with pytest.raises(IndexError):
        next(stream)


def test_a_stream_may_be_left_early() -> None:
    stream = Pixels(_array(), CPU, "streamed").stream([np.array([i]) for i in range(9)], (0,))
    next(stream)
    stream.close()  # type: ignore[attr-defined]
