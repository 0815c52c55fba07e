"""Memory that a step frees is kept for the next step, instead of going back to the system."""

from __future__ import annotations

import ctypes
import sys
from typing import Any

# From glibc's malloc.h.
_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4


def keep_freed_memory() -> bool:
    """Tell the C library's allocator to keep what is freed; say whether it can be told.

    By default every large tensor is memory fresh from the system, which has to find and clear
    its pages, and goes back when it is freed: on a virtual machine up to a fifth of a training
    step of IEEE on the CPU went there. Digits do not depend on it. Only glibc knows these words.
    """
    mallopt = _from_libc("mallopt")
    # No allocation is a mapping of its own, and the end of the heap is never given back.
    told = ((_M_MMAP_MAX, 0), (_M_TRIM_THRESHOLD, -1))
    return mallopt is not None and all(mallopt(word, value) == 1 for word, value in told)


def give_back_memory() -> None:
    """Give back what is free now: after a training, a process may live on."""
    trim = _from_libc("malloc_trim")
    if trim is not None:
        trim(0)


def _from_libc(name: str) -> Any:
    if not sys.platform.startswith("linux"):
        return None
    return getattr(ctypes.CDLL(None), name, None)
