"""Memory that a step frees is kept for the next step, instead of going back to the system."""

from __future__ import annotations

import ctypes
import sys

# From glibc's malloc.h.
_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4


def keep_freed_memory() -> bool:
    """Tell the C library's allocator to keep what is freed; say whether it can be told.

    By default every large tensor is memory fresh from the system, which has to find and clear
    its pages, and gives it back when it is freed: on a virtual machine up to a fifth of a
    training step of IEEE on the CPU went there. A process that has been told so keeps its peak
    memory until it ends. Digits do not depend on it. Only glibc knows these words.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except AttributeError:
        return False
    # No allocation is a mapping of its own, and the end of the heap is never given back.
    return all(
        mallopt(word, value) == 1 for word, value in ((_M_MMAP_MAX, 0), (_M_TRIM_THRESHOLD, -1))
    )
