"""One side at one batch size in a process of its own: steps timed, busy time, kernels.

usage: probe '{"side": "ours", "variant": "fast", "batch": 8, ...}'; the last line is JSON.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import torch

from benchmarks.gpu_day.parts.common import QUICK, TINY, WORK, device, finish, threads
from benchmarks.gpu_day.parts.kernels import kernels
from benchmarks.gpu_day.parts.watch import Watch

Asked = dict[str, Any]


class Work(NamedTuple):
    """What a side does."""

    go: Callable[[], object]
    """One step on one batch."""
    about: dict[str, Any]
    """What is known of it before it is timed; `images` of a step in any case."""
    loop: Callable[[int], float] | None = None
    """So many steps with the loading of their batches; seconds of one."""


def ours(asked: Asked, where: str) -> Work:
    """The step of the training loop on one batch, and the loop with its loading."""
    from torch.utils.flop_counter import FlopCounterMode

    from benchmarks.ours import first_batch, prepared
    from harness.training.loop import take_step
    from harness.training.mode import compiled
    from harness.training.optimiser import make_optimiser

    more = [f"sampler.identities={_identities(asked)}", *QUICK]
    training, model = prepared(_drawn(asked), asked["variant"], threads(), where, more)
    optimiser = make_optimiser(training.recipe.optimiser, model)
    batch = first_batch(training)
    model.train()

    def go() -> None:
        take_step(training, model, optimiser, batch)

    def loop(steps: int) -> float:
        from harness.training.sampler import identity_batches

        plan: list[Any] = []
        epoch, sampler = 0, training.recipe.sampler
        while len(plan) < steps:
            sizes = (sampler.identities, sampler.instances)
            plan += identity_batches(training.labels, *sizes, 0, epoch)
            epoch += 1
        rows, labels = (
            [of[chosen] for chosen in plan[:steps]] for of in (training.rows, training.labels)
        )
        drawn = torch.Generator().manual_seed(0)
        made = training.batches.epoch(rows, labels, training.modalities, drawn)
        finish(where)
        started = time.perf_counter()
        for one in made:
            take_step(training, model, optimiser, one)
        finish(where)
        return (time.perf_counter() - started) / steps

    with FlopCounterMode(display=False) as counter:
        go()
    about = {"flops": counter.get_total_flops(), "images": 3 * len(batch.pids)}
    if asked.get("compile"):
        started = time.perf_counter()
        about["compiled"] = compiled(model, training.recipe, torch.device(where), go)
        for _ in range(3):
            go()  # the second call records the graph, the third replays it
        finish(where)
        about["compile_seconds"] = round(time.perf_counter() - started, 1)
        about["counters"] = _counters()
    return Work(go, about, loop)


def peer(asked: Asked, where: str) -> Work:
    """The authors' step."""
    from benchmarks.peers.ieee import step

    work = step(asked["path"], asked["batch"], threads(), where)
    return Work(lambda: work(count=1), {"images": 3 * asked["batch"]})


def bare(asked: Asked, where: str) -> Work:
    """Three ResNet-50 alone."""
    from benchmarks.ours import bare as alone

    work = alone(_drawn(asked), threads(), where, _identities(asked))
    return Work(work, {"images": 3 * asked["batch"]})


SIDES = {"ours": ours, "peer": peer, "bare": bare}


def _identities(asked: Asked) -> int:
    return max(1, int(asked["batch"]) // 4)


def _drawn(asked: Asked) -> str:
    """A drawn set with identities enough for a batch."""
    from benchmarks.made_up import draw_set

    count = max(_identities(asked), 2)
    root: Path = WORK / "speed" / str(count)
    root.mkdir(parents=True, exist_ok=True)
    return str(draw_set(root, identities=count, images=4 if TINY else 16))


def _counters() -> dict[str, dict[str, int]]:
    from torch._dynamo.utils import counters

    return {k: dict(v) for k, v in counters.items() if k in ("inductor", "graph_break")}


def timed(go: Callable[[], object], count: int, where: str) -> float:
    """Seconds of a step, the mean of `count`."""
    finish(where)
    started = time.perf_counter()
    for _ in range(count):
        go()
    finish(where)
    return (time.perf_counter() - started) / count


def times(asked: Asked, work: Work, where: str) -> dict[str, Any]:
    """Rounds of steps: their median and range, and what the GPU did."""
    started = time.time()
    steps = asked.get("steps", 30)
    timed(work.go, max(2, steps // 2), where)  # every choice of algorithm is made here
    if where == "cuda":
        torch.cuda.reset_peak_memory_stats()
    with Watch() as watch:
        rounds = sorted(timed(work.go, steps, where) for _ in range(asked.get("rounds", 5)))
    middle = rounds[len(rounds) // 2]
    found: dict[str, Any] = {
        "ms": round(middle * 1e3, 3),
        "ms_range": [round(rounds[0] * 1e3, 3), round(rounds[-1] * 1e3, 3)],
        "images_per_s": round(work.about["images"] / middle, 1),
        "watch": watch.found,
        "measuring_seconds": round(time.time() - started, 1),
    }
    if "flops" in work.about:
        found["tflops"] = round(work.about["flops"] / middle / 1e12, 2)
    if where == "cuda":
        found["peak_mib"] = torch.cuda.max_memory_allocated() // 2**20
    return found


def main() -> None:
    """Print what is known after each of three steps, so that none is lost."""
    asked: Asked = json.loads(sys.argv[1])
    where = device()
    torch.set_num_threads(threads())
    work = SIDES[asked["side"]](asked, where)
    known = {k: v for k, v in asked.items() if k != "profile"}
    found = {**known, **work.about, **times(asked, work, where)}
    print(json.dumps(found), flush=True)
    if work.loop is not None:
        work.loop(3)
        found["loop_ms"] = round(work.loop(max(3, asked.get("steps", 30))) * 1e3, 3)
        print(json.dumps(found), flush=True)
    if asked.get("profile"):
        found["profile"] = kernels(work.go, where, 2 if TINY else 8)
        found["busy_%"] = round(100 * found["profile"]["device_ms_per_step"] / found["ms"], 1)
        print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
