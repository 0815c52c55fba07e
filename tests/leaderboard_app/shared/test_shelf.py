"""What is kept of large things."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from leaderboard_app.shared.shelf import Shelf


def _made(log: list[int], size: int) -> Callable[[], int]:
    def make() -> int:
        log.append(size)
        return size

    return make


def test_the_last_ones_are_kept_as_far_as_they_fit() -> None:
    shelf, log = Shelf[int](10, size=int), list[int]()
    for size in (4, 5, 4, 3):
        assert shelf.take(size, _made(log, size)) == size
        assert shelf.size <= 10
    # 4 was asked for again before 3 came, so 5 had to go.
    assert log == [4, 5, 3]
    shelf.take(4, _made(log, 4))
    shelf.take(5, _made(log, 5))
    assert log == [4, 5, 3, 5]


def test_one_that_is_larger_than_the_shelf_is_kept_alone() -> None:
    shelf, log = Shelf[int](10, size=int), list[int]()
    for size in (4, 50, 50):
        shelf.take(size, _made(log, size))
    assert log == [4, 50]
    assert shelf.size == 50


def test_many_that_want_one_thing_make_it_once() -> None:
    shelf, log, together = Shelf[int](10, size=int), list[int](), Barrier(8)

    def want(_: int) -> int:
        together.wait(10)
        return shelf.take("it", _made(log, 7))

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(want, range(8))) == [7] * 8
    assert log == [7]
