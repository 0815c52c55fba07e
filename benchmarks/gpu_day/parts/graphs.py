"""Whether each method can be compiled, and its steps stay those of the eager model.

What torch gives up silently is counted as such. On a CPU nothing is compiled, and the steps are
held against themselves. That steps are recorded as CUDA graphs is seen in the records of `first`
and `training`, under `environment.steps`.
"""

from __future__ import annotations

import sys
import time
import warnings
from math import isfinite
from typing import Any

import torch

from benchmarks.gpu_day.parts.common import (
    TINY,
    device,
    methods,
    require,
    step,
    tell,
    threads,
    warned,
)
from benchmarks.gpu_day.parts.shop import Shop, has_backbone

NAME = "graphs"
STEPS = 5


def eager_and_compiled(method: str, changes: list[str], where: str) -> dict[str, Any]:
    """The same steps with and without a graph."""
    from torch._dynamo.utils import counters

    from harness.training.mode import compiled

    eager = Shop(method, where, ["mode=fast", *changes]).steps(STEPS)
    shop = Shop(method, where, ["mode=fast", *changes])
    counters.clear()
    first = next(iter(shop.batches(1)))
    started = time.time()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        why: list[str] = []
        worked = compiled(shop.model, shop.recipe, shop.device, lambda: shop.back(first), why)
        seconds = time.time() - started
        again = shop.steps(STEPS)
    gaps = [
        max(abs(a[k] - b[k]) / max(abs(a[k]), 1e-6) for k in a)
        for a, b in zip(eager, again, strict=True)
    ]
    return {
        "worked": worked,
        "not_because": why,
        "seconds": round(seconds, 1),
        "relative_gap_by_step": gaps,
        "finite": all(isfinite(v) for terms in again for v in terms.values()),
        "graph_breaks": dict(counters["graph_break"]),
        "inductor": {k: v for k, v in counters["inductor"].items() if "cudagraph" in k},
        "said": warned("\n".join(str(w.message) for w in caught)),
        "peak_mib": torch.cuda.max_memory_allocated() // 2**20 if where == "cuda" else None,
    }


def main() -> None:
    """All methods, or those named."""
    torch.set_num_threads(threads())
    where = device()
    for method in sys.argv[1:] or (["ieee"] if TINY else methods()):
        words = ["backbone=resnet18"] if has_backbone(method) else []
        with step(NAME, method) as value:
            require(1 if TINY else 45)
            value.update(eager_and_compiled(method, words, where))
            tell(f"  compile {method:8}: {value}")
            torch._dynamo.reset()


if __name__ == "__main__":
    main()
