"""What this machine is, and the most it can do: products per second and bytes per second."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

_TRIES = 15


@dataclass(frozen=True)
class Machine:
    """A machine with the threads that were used on it.

    Attributes:
        float32: FLOP/s of a large matrix product, two per multiply-add.
        tf32: The same of float32 numbers multiplied in TF32, on a GPU; elsewhere as float32.
        bf16: The same in bfloat16.
        copy: Bytes per second that a large copy reads and writes.
    """

    processor: str
    cores: int
    threads: int
    memory_gib: float
    device: str
    versions: dict[str, str]
    float32: float
    tf32: float
    bf16: float
    copy: float

    def sentence(self) -> str:
        """For below a table."""
        unit, scale = ("TFLOP/s", 1e12) if self.float32 > 1e12 else ("GFLOP/s", 1e9)
        names = ", ".join(f"{name} {found}" for name, found in self.versions.items())
        where = self.processor if self.device == "cpu" else self.device
        tf32 = "" if self.device == "cpu" else f"in TF32 {self.tf32 / scale:.3g}, "
        return (
            f"{where}, {self.cores} cores of which {self.threads} used, "
            f"{self.memory_gib:.0f} GiB; {names}. Measured here: a float32 product "
            f"{self.float32 / scale:.3g} {unit}, {tf32}a bf16 one {self.bf16 / scale:.3g}, a copy "
            f"{self.copy / 1e9:.3g} GB/s read and written."
        )


def measured(threads: int, device: str = "cpu") -> Callable[[], dict[str, Any]]:
    """For a worker: measure this machine (`Machine(**value)`), with all of torch's threads set."""
    return lambda: _measure(threads, device)


def _measure(threads: int, device: str) -> dict[str, Any]:
    import torch

    torch.set_num_threads(threads)
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    # As large as keeps the device busy for a moment and the measurement short.
    side, size = (2048, 2**28) if device == "cpu" else (8192, 2**31)
    name = "cpu" if device == "cpu" else torch.cuda.get_device_name(device)
    float32 = _product(side, torch.float32, device)
    return {
        "processor": _processor(),
        "cores": os.cpu_count() or 1,
        "threads": threads,
        "memory_gib": _memory_gib(),
        "device": name,
        "versions": {
            "Python": platform.python_version(),
            **{name: version(name) for name in ("torch", "numpy")},
        },
        "float32": float32,
        "tf32": float32 if device == "cpu" else _product(side, torch.float32, device, tf32=True),
        "bf16": _product(side, torch.bfloat16, device),
        "copy": _copy(size, device),
    }


def _product(side: int, kind: Any, device: str, tf32: bool = False) -> float:
    import torch

    # Said each time: torch's own answer differs between products and convolutions.
    torch.backends.cuda.matmul.allow_tf32 = tf32
    one = torch.randn(side, side, device=device).to(kind)
    other = torch.randn(side, side, device=device).to(kind)
    out = torch.empty_like(one)
    seconds = _best(lambda: torch.mm(one, other, out=out), device)
    torch.backends.cuda.matmul.allow_tf32 = False
    return 2 * side**3 / seconds


def _copy(size: int, device: str) -> float:
    import torch

    source = torch.ones(size, dtype=torch.uint8, device=device)
    target = torch.zeros_like(source)
    return 2 * size / _best(lambda: target.copy_(source), device)


def _best(work: Callable[[], object], device: str) -> float:
    """The least seconds of some tries: what the machine can do, not what it did beside others."""
    import torch

    def finish() -> None:
        if device != "cpu":
            torch.cuda.synchronize()

    times = []
    for _ in range(_TRIES + 1):
        finish()
        started = time.perf_counter()
        work()
        finish()
        times.append(time.perf_counter() - started)
    return min(times[1:])


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(x for x in lines if x.startswith("model name")).partition(":")[2].strip()
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def _memory_gib() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
