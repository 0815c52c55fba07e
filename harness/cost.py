"""What a model costs: parameters, operations, time and memory."""

from __future__ import annotations

import resource
import time
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from harness.method import Method
from harness.modality import Modality
from harness.training.batches import Batches

_LATENCY_REPEATS = 5


def measure(
    method: Method,
    model: nn.Module,
    batches: Batches,
    row: NDArray[np.int64],
    modalities: tuple[Modality, ...],
) -> dict[str, Any]:
    """Parameters, GFLOP (two per multiply-add) and latency of one sample's descriptor.

    Args:
        row: (1,) the row of the sample to measure on.
        modalities: What the query side has.
    """
    model.eval()
    batch = batches.test(row, modalities)
    with torch.no_grad():
        with FlopCounterMode(display=False) as counter:
            descriptor = method.embed(model, batch)
        seconds = []
        for _ in range(_LATENCY_REPEATS):
            started = time.perf_counter()
            method.embed(model, batch).sum().item()
            seconds.append(time.perf_counter() - started)
    return {
        "parameters": sum(p.numel() for p in model.parameters()),
        "gflops": counter.get_total_flops() / 1e9,
        "descriptor": int(descriptor.shape[1]),
        "latency_ms": round(1000 * float(np.median(seconds)), 3),
    }


def peak_memory_mib(device: torch.device) -> float:
    """The most memory used so far: of the GPU's where there is one, else of the process."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
