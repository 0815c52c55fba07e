"""Every method, the same steps on the GPU and on the CPU; and twice on the GPU, bit by bit.

`exact` on both: the first step tells whether products were float32 (differences near 1e-6) or
TF32 (near 1e-3); later steps drift apart as two CPUs with other threads do. `fast` on the GPU,
not compiled, is held against `exact` there.
"""

from __future__ import annotations

import math
import sys
import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch

from benchmarks.gpu_day.parts.common import (
    METHODS,
    TINY,
    device,
    methods,
    require,
    step,
    tell,
    threads,
    warned,
)
from benchmarks.gpu_day.parts.shop import Shop, State, draws

NAME = "agreement"
STEPS = 3 if TINY else 20
"""Of IEEE."""
FEW = 2 if TINY else 6
"""Of every other method."""


class Stepped(NamedTuple):
    """A method after some steps."""

    terms: list[dict[str, float]]
    start: State
    end: State
    said: list[str]
    """What torch warned of."""
    draws: bool


def stepped(method: str, where: str, count: int, changes: Sequence[str] = ()) -> Stepped:
    """Take `count` steps from the same start."""
    shop = Shop(method, where, changes)
    start = shop.state()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        terms = shop.steps(count)
    said = warned("\n".join(str(w.message) for w in caught))
    return Stepped(terms, start, shop.state(), said, draws(shop.model))


def far(one: list[dict[str, float]], two: list[dict[str, float]]) -> list[float]:
    """The largest relative difference of any term, step by step."""
    return [
        max(abs(a[k] - b[k]) / max(abs(a[k]), abs(b[k]), 1e-6) for k in a)
        for a, b in zip(one, two, strict=True)
    ]


def different(one: State, two: State) -> list[str]:
    """Names of the tensors of which any bit differs."""
    return [k for k in one if not torch.equal(one[k], two[k])]


def moved(start: State, one: State, two: State) -> float:
    """How far two updates differ, relative to the update, over all floating weights."""
    gap = whole = 0.0
    for k, before in start.items():
        if before.is_floating_point():
            gap += float((one[k].double() - two[k].double()).square().sum())
            whole += float((one[k].double() - before.double()).square().sum())
    return math.sqrt(gap / max(whole, 1e-30))


def check(method: str, where: str, value: dict[str, Any]) -> None:
    """Hold a method's steps against themselves, the CPU's and those of `fast`."""
    count = STEPS if method == "ieee" else FEW
    one, two = stepped(method, where, count), stepped(method, where, count)
    differ = different(one.end, two.end)
    identical = not differ and one.terms == two.terms
    value["twice"] = {
        "identical": identical,
        "tensors_that_differ": len(differ),
        "such_as": differ[:3],
        "torch_warned_of": one.said,
        "largest": max(far(one.terms, two.terms)),
    }
    here, there = stepped(method, "cpu", 1), stepped(method, where, 1)
    first = far(there.terms, here.terms)[0]
    update = moved(here.start, here.end, there.end)
    value["cpu"] = {
        "same_start": not different(one.start, here.start),
        "draws": one.draws,
        "first_step": first,
        "first_update": update,
    }
    value["float32"] = first < 1e-4
    if method == "ieee":
        on_cpu = stepped(method, "cpu", count).terms
        value["cpu"]["steps"] = far(one.terms, on_cpu)
        value["losses"] = {"gpu": one.terms, "cpu": on_cpu}
    fast = far(stepped(method, where, count, ["mode=fast"]).terms, one.terms)
    value["fast"] = {"steps": fast[:3], "last": fast[-1]}
    tell(
        f"  {method:8} twice identical {identical!s:5} "
        f"(differ {len(differ)}, warned {one.said}); CPU first step {first:.1e}, "
        f"first update {update:.1e}{' (draws)' if one.draws else ''}; fast {fast[0]:.1e}"
    )


def batches_alike(where: str, value: dict[str, Any]) -> None:
    """Pixels, crops, flips, erasing and normalising: the same bits on both, in either layout."""
    words = ["augmentation.pad=10", "augmentation.erase=0.5"]
    for mode in ("exact", "fast"):
        there, here = (
            Shop("ieee", place, [*words, f"mode={mode}"]).batches(3) for place in (where, "cpu")
        )
        value[mode] = all(
            torch.equal(a.images[m].cpu(), b.images[m])
            and a.images[m].stride() == b.images[m].stride()
            for a, b in zip(there, here, strict=True)
            for m in a.images
        )
    tell(f"  augmented batches, bit by bit: {value}")


def attention_twice(where: str, value: dict[str, Any]) -> None:
    """A transformer's attention is chosen by the device; the recipes of two methods use it."""
    words = ["backbone=vit_tiny_patch16_224"]
    one, two = (stepped("timm", where, FEW, words) for _ in range(2))
    differ = different(one.end, two.end)
    value["twice"] = {
        "identical": not differ,
        "torch_warned_of": one.said,
        "tensors_that_differ": len(differ),
    }
    tell(f"  timm, vit: twice identical {not differ}, warned {one.said}")


def main() -> None:
    """All methods, or those named."""
    torch.set_num_threads(threads())
    where = device()
    tell("agreement: GPU twice, GPU and CPU, fast and exact")
    with step(NAME, "batches") as value:
        batches_alike(where, value)
    for method in sys.argv[1:] or (METHODS[:2] if TINY else methods()):
        with step(NAME, method) as value:
            require(15)
            check(method, where, value)
    with step(NAME, "timm, vit") as value:
        require(15)
        attention_twice(where, value)


if __name__ == "__main__":
    main()
