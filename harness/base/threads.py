"""Work spread over threads, each with matrix products of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from typing import Any, TypeVar

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

# The number of BLAS threads is one for the whole process: two callers who each set it and put it
# back would put back the other's.
_LOCK = threading.RLock()


def blas_threads() -> int:
    """How many threads NumPy's matrix products use, which OMP_NUM_THREADS and the like bound."""
    found = [pool["num_threads"] for pool in _blas().info() if pool["user_api"] == "blas"]
    return max(found, default=1)


@contextmanager
def one_blas_thread() -> Iterator[int]:
    """Within, a matrix product runs on the thread that asks for it; gives `blas_threads` of before.

    BLAS cuts a product among its threads, and how it is cut shows in the last bits; without that,
    digits do not depend on the number of cores. Only one caller at a time gets in.
    """
    with _LOCK:
        threads = blas_threads()
        with _blas().limit(limits=1, user_api="blas"):
            yield threads


def spread(work: Callable[[_Item], _Result], items: Sequence[_Item], threads: int) -> list[_Result]:
    """The work done on every item, in order; NumPy lets threads run beside each other."""
    if threads <= 1 or len(items) <= 1:
        return [work(item) for item in items]
    with ThreadPoolExecutor(min(threads, len(items))) as pool:
        return list(pool.map(work, items))


@cache
def _blas() -> Any:
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
