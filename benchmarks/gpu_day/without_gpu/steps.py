"""What methods do on a pretended GPU: losses and descriptors beside the CPU's, and every wait.

usage: steps METHOD[,METHOD...] [CHANGE...]; ends with 1 if a method raised or its first losses in
`exact` are not the CPU's.
"""

from __future__ import annotations

import sys
import time
import traceback
import warnings
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.gpu_day.parts.agreement import far
from benchmarks.gpu_day.parts.common import threads
from benchmarks.gpu_day.parts.shop import Shop
from benchmarks.gpu_day.without_gpu.pretended import CUDA, SEEN, Pretended, pretend
from harness.training.features import embed
from harness.training.loop import take_step

STEPS = 2
SAMPLES = 5
CLOSE = 1e-5
"""How far the first step's losses may be from the CPU's, relatively; later ones drift apart."""
_NONDETERMINISTIC = {
    *("_adaptive_avg_pool2d_backward", "adaptive_max_pool2d_backward", "avg_pool2d_backward"),
    *("avg_pool3d_backward", "max_pool2d_with_indices_backward", "max_unpool2d"),
    *("grid_sampler_2d_backward", "reflection_pad2d_backward", "replication_pad2d_backward"),
    *("upsample_bilinear2d_backward", "upsample_linear1d_backward"),
    *("upsample_bicubic2d_backward", "upsample_nearest2d_backward"),
    *("nll_loss2d_forward", "histc", "bincount", "kthvalue", "median", "cumsum", "logcumsumexp"),
    *("scatter", "scatter_", "scatter_add", "scatter_add_", "scatter_reduce", "put_"),
    *("index_add", "index_add_", "index_copy_", "index_put", "index_put_", "_index_put_impl_"),
    *("_embedding_bag", "_cdist_backward", "_scaled_dot_product_flash_attention_backward"),
    "_scaled_dot_product_efficient_attention_backward",
}
"""Operations that may add in another order each time on a GPU."""


class Noted(NamedTuple):
    """What one piece of work cost in waits."""

    counts: dict[str, int]
    lines: dict[str, dict[str, int]]


class Done(NamedTuple):
    """What a method did."""

    losses: list[dict[str, float]]
    descriptors: NDArray[np.float32]
    noted: dict[str, Noted]
    """Of the last batch and step, and of the descriptors."""
    suspicious: dict[str, int]
    """Operations of the last step that may add in another order each time."""


def done(method: str, changes: list[str], where: Any) -> Done:
    """Some steps and descriptors of a method on a device."""
    shop = Shop(method, where, changes)
    noted, losses, suspicious = {}, [], {}
    optimiser = shop.optimiser()
    shop.start_epoch()
    batches = iter(shop.batches(STEPS))
    for _ in range(STEPS):
        SEEN.clear()
        batch = next(batches)
        noted["batch"] = _noted()
        SEEN.clear()
        terms = take_step(shop.training, shop.model, optimiser, batch)
        noted["step"] = _noted()
        names = ((name.removeprefix("aten::"), n) for name, n in SEEN.operations.items())
        suspicious = {name: n for name, n in names if name in _NONDETERMINISTIC}
        losses.append({name: float(term) for name, term in terms.items()})
    SEEN.clear()
    found = _descriptors(shop)
    noted["descriptors"] = _noted()
    return Done(losses, found, noted, suspicious)


def _noted() -> Noted:
    return Noted(SEEN.counts(), {kind: dict(lines) for kind, lines in SEEN.lines.items()})


def _descriptors(shop: Shop) -> NDArray[np.float32]:
    protocol = shop.plan.protocol
    split = protocol.query_split
    names = tuple(sample.name for sample in shop.plan.data.samples(split))[:SAMPLES]
    rows = shop.shop.arrays.rows[split][:SAMPLES]
    given = (shop.plan.modalities("query"), names, protocol.change("query"))
    return embed(shop.method, shop.model, shop.shop.batches, rows, *given)


def tried(method: str, mode: str, changes: list[str]) -> bool:
    """Say what a method does in a mode; whether it went as on the CPU."""
    words = [*changes, f"mode={mode}"]
    started = time.time()
    try:
        with Pretended():
            found = done(method, words, CUDA)
    except Exception as error:  # what would have been raised on a GPU is what is looked for
        print(f"== {method} {mode}: RAISED {type(error).__name__}: {str(error)[:300]}")
        traceback.print_exc(limit=-6)
        return False
    same, beside = True, ""
    if mode == "exact":
        wanted = done(method, words, "cpu")
        gaps = far(found.losses, wanted.losses)
        # Torch takes some operations apart on a GPU, so the last bits may be others.
        same = gaps[0] < CLOSE
        gap = float(np.abs(found.descriptors - wanted.descriptors).max())
        beside = f", from the CPU's losses {gaps[0]:.1e} and {gaps[1]:.1e}, descriptors {gap:.1e}"
    print(f"== {method} {mode}: {time.time() - started:.0f} s{beside}")
    for part, noted in found.noted.items():
        if noted.counts:
            print(f"    {part}: {noted.counts}")
        for kind, lines in noted.lines.items():
            print(f"        {kind}: {lines}")
    print(f"    may add in another order each time: {found.suspicious}", flush=True)
    return same


def main() -> None:
    """Every method asked for, exact and fast."""
    warnings.filterwarnings("ignore")
    torch.set_num_threads(threads())
    pretend()
    methods, changes = sys.argv[1].split(","), sys.argv[2:]
    went = [tried(m, mode, changes) for m in methods for mode in ("exact", "fast")]
    sys.exit(not all(went))


if __name__ == "__main__":
    main()
