"""What a model costs: parameters, operations, time and memory."""

from __future__ import annotations

import contextlib
import resource
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from harness.spec.method import Method
from harness.spec.modality import Modality
from harness.training.batches import Batches
from harness.training.mode import computing

_LATENCY_REPEATS = 5


def measure(
    method: Method,
    model: nn.Module,
    batches: Batches,
    row: NDArray[np.int64],
    modalities: tuple[Modality, ...],
) -> dict[str, Any]:
    """Parameters, GFLOP (two per multiply-add), size and latency of one sample's descriptor.

    Args:
        row: (1,) the row of the sample to measure on.
        modalities: What the query side has.
    """
    model.eval()
    batch = batches.test(row, modalities)
    with torch.no_grad(), computing(batches.recipe, batches.device):
        # Torch does not count its fused attention on a CPU; the plain one is the same products.
        with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH):
            descriptor = method.embed(model, batch)
        seconds = []
        for _ in range(_LATENCY_REPEATS):
            started = time.perf_counter()
            method.embed(model, batch).sum().item()
            seconds.append(time.perf_counter() - started)
    return {
        "parameters": sum(p.numel() for p in model.parameters()),
        "trained_parameters": sum(p.numel() for p in model.parameters() if p.requires_grad),
        "gflops": counter.get_total_flops() / 1e9,
        "descriptor": int(descriptor.shape[1]),
        "latency_ms": round(1000 * float(np.median(seconds)), 3),
    }


class Throughput:
    """Samples and seconds of everything that was embedded, transfers included, decoding not."""

    def __init__(self) -> None:
        self.samples = 0
        self.seconds = 0.0

    @contextlib.contextmanager
    def of(self, samples: int) -> Iterator[None]:
        """Count the block as the embedding of so many samples."""
        started = time.perf_counter()
        yield
        self.samples += samples
        self.seconds += time.perf_counter() - started

    @property
    def per_second(self) -> float | None:
        """Samples a second; None before there were any."""
        return round(self.samples / self.seconds, 2) if self.seconds else None


def forget_peak(device: torch.device) -> None:
    """Let the peak start anew, so that a run in a process of many has its own."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    # Only Linux can do this, and not in every container; then the peak is the process's.
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def peak_memory_mib(device: torch.device) -> float:
    """The most memory used since `forget_peak`: of the GPU's where there is one, else of ours."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**20
    with contextlib.suppress(OSError, StopIteration):
        lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
        peak = next(line for line in lines if line.startswith("VmHWM:"))
        return int(peak.split()[1]) / 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
