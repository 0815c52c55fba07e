"""A few large things kept for all sessions, as many as fit into a number of bytes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

T = TypeVar("T")


class Shelf(Generic[T]):
    """The things last asked for; the newest stays even where it alone is too large.

    Args:
        most: Bytes of all together.
        size: Bytes of one.
    """

    def __init__(self, most: int, size: Callable[[T], int]) -> None:
        self._most = most
        self._size = size
        self._kept: OrderedDict[Hashable, T] = OrderedDict()
        self._lock = Lock()
        # One maker at a time: two sessions that want the same thing must not both make it, and
        # two large things must not be in the making at once.
        self._making = Lock()

    def take(self, key: Hashable, make: Callable[[], T]) -> T:
        """What is kept under `key`, made if need be."""
        found = self._found(key)
        if found is not None:
            return found
        with self._making:
            found = self._found(key)
            if found is None:
                found = make()
                self._keep(key, found)
            return found

    @property
    def size(self) -> int:
        """Bytes of everything that is kept."""
        with self._lock:
            return sum(map(self._size, self._kept.values()))

    def _found(self, key: Hashable) -> T | None:
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def _keep(self, key: Hashable, one: T) -> None:
        with self._lock:
            self._kept[key] = one
            sizes = [self._size(each) for each in self._kept.values()]
            while len(sizes) > 1 and sum(sizes) > self._most:
                sizes.pop(0)
                self._kept.popitem(last=False)
