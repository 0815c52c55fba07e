"""What the device did in some steps, kernel by kernel."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from benchmarks.gpu_day.parts.common import finish

_GROUPS = (
    ("optimiser", ("multi_tensor", "fused_sgd", "fused_adam", "fusedsgd")),
    ("norm", ("batch_norm", "bn_fw", "bn_bw", "batchnorm", "norm_kernel")),
    ("pool", ("pool",)),
    ("triton", ("triton_",)),
    ("conv and products", ("conv", "gemm", "cudnn", "cutlass", "xmma", "sm90", "sm80", "nvjet")),
    ("copies", ("memcpy", "memset", "copy")),
    ("elementwise", ("elementwise", "vectorized", "reduce", "index", "cat", "softmax")),
)


def kernels(go: Callable[[], object], where: str, count: int) -> dict[str, Any]:
    """The time the device was busy in `count` steps, by kernel and by group of kernels."""
    from torch.profiler import ProfilerActivity, profile

    kinds = [ProfilerActivity.CPU] + ([ProfilerActivity.CUDA] if where == "cuda" else [])
    finish(where)
    started = time.perf_counter()
    with profile(activities=kinds, record_shapes=False) as seen:
        for _ in range(count):
            go()
        finish(where)
    wall = time.perf_counter() - started
    rows = sorted(_rows(seen, where), reverse=True)
    total = sum(spent for spent, _, _ in rows) or 1.0
    groups: Counter[str] = Counter()
    for spent, _, name in rows:
        groups[group_of(name)] += spent / total  # type: ignore[assignment]
    return {
        "steps": count,
        "device_ms_per_step": round(total / 1e3 / count, 3),
        "wall_ms_per_step_profiled": round(wall * 1e3 / count, 3),
        "kernels_per_step": round(sum(calls for _, calls, _ in rows) / count, 1),
        "groups_%": {name: round(100 * share, 1) for name, share in groups.most_common()},
        "top": [
            {
                "ms_per_step": round(spent / 1e3 / count, 4),
                "%": round(100 * spent / total, 1),
                "calls_per_step": calls / count,
                "kernel": name[:160],
            }
            for spent, calls, name in rows[:15]
        ],
    }


def group_of(kernel: str) -> str:
    """What a kernel is for, by its name."""
    low = kernel.lower()
    return next((g for g, words in _GROUPS if any(w in low for w in words)), "other")


def _rows(seen: Any, where: str) -> list[tuple[float, int, str]]:
    """Microseconds, calls and name of all that took any time."""
    found = []
    for one in seen.key_averages():
        if where == "cuda" and one.device_type.name != "CUDA":
            continue
        spent = one.self_device_time_total if where == "cuda" else one.self_cpu_time_total
        if spent:
            found.append((spent, one.count, one.key))
    return found
