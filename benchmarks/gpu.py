"""On a GPU: steps beside the authors' code and the bare backbones, and the paper's whole training.

Without one, each row says that it was not measured. The whole training is on the full-size drawn
set and takes minutes; it runs once.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from benchmarks.loading import per_triplet
from benchmarks.made_up import draw_set
from benchmarks.ours import VARIANTS
from harness.bench import Asked, Goal, Row, Spread, Worker, interleaved, ratios, run_script
from harness.bench.machine import Machine
from harness.bench.measure import Task

PEERS = ("ieee",)
STEPS = 30
"""Of a round."""
_SMALL = "images/s, GPU, batch 8"
_LARGE = "images/s, GPU, batch 64, fast, beside three bare ResNet-50"
_LOADING = "loading on a GPU, fast, beside their loader, 0 workers"
_TRAINING = "the paper's 61 epochs, full-size drawn set, GPU, fast"
_GOALS = {"exact": Goal("times", 3), "fast": Goal("times", 6)}
_SHARE, _MINUTES, _OFTEN = Goal("times", 0.85), Goal("value", 360), Goal("times", 20)


def rows(asked: Asked) -> list[Row]:
    """All claims about a GPU, measured or not."""
    import torch

    if not torch.cuda.is_available():
        note = "Not measured: no GPU here. There: `python -m benchmarks.gpu --peer PATH --write`."
        small = [Row(f"{_SMALL}, {name}", goal=goal, note=note) for name, goal in _GOALS.items()]
        others = {_LARGE: _SHARE, _LOADING: _OFTEN, _TRAINING: _MINUTES}
        return [*small, *(Row(what, goal=goal, note=note) for what, goal in others.items())]
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        drawn = str(draw_set(root, identities=16, images=4))
        found = [*_published(asked, drawn), _large(asked, drawn), _loading(asked, root)]
        return [*found, _whole(root)]


def _published(asked: Asked, drawn: str) -> list[Row]:
    """Batch 8 beside the authors' code."""
    with ExitStack() as stack:
        workers = [
            stack.enter_context(
                asked.worker(
                    "benchmarks.ours:step",
                    root=drawn,
                    variant=variant,
                    threads=asked.threads,
                    device="cuda",
                )
            )
            for variant in VARIANTS
        ]
        # Of exact, the only one that is not compiled: a graph has no operations to count.
        flops = workers[0].run(flops=True).value["flops"]
        if "ieee" in asked.peers:
            path, target = str(asked.peers["ieee"]), "benchmarks.peers.ieee:step"
            given = {"path": path, "batch": 8, "threads": asked.threads, "device": "cuda"}
            workers.append(stack.enter_context(asked.worker(target, **given)))
        times = interleaved(asked.repeats, *(_warm(worker) for worker in workers))
    beside = times[-1] if "ieee" in asked.peers else None
    note = "Each of the three modalities' images counts."
    return [
        Row(
            f"{_SMALL}, {variant}",
            _rate(own, 8),
            _rate(beside, 8) if beside else None,
            Spread.of(ratios(beside, own)) if beside else None,
            "images/s",
            _GOALS.get(variant),
            3 * 8 * ceiling(asked.machine, variant) / flops,
            note if beside else f"{note} No peer was given.",
        )
        for variant, own in zip(VARIANTS, times, strict=False)
    ]


def ceiling(machine: Machine, variant: str) -> float:
    """FLOP/s of the arithmetic that a variant is computed in on a GPU.

    `fast` in float32 multiplies in TF32; only `exact` never does.
    """
    return {"exact": machine.float32, "fast": machine.bf16, "fast, float32": machine.tf32}[variant]


def _large(asked: Asked, drawn: str) -> Row:
    """Batch 64 beside the three backbones alone."""
    given = {"root": drawn, "threads": asked.threads, "device": "cuda", "identities": 16}
    with (
        asked.worker("benchmarks.ours:step", variant="fast", **given) as ours,
        asked.worker("benchmarks.ours:bare", **given) as bare,
    ):
        own, peer = interleaved(asked.repeats, _warm(ours), _warm(bare))
    share = Spread.of(ratios(peer, own))
    return Row(_LARGE, _rate(own, 64), _rate(peer, 64), share, "images/s", _SHARE)


def _loading(asked: Asked, root: Path) -> Row:
    """Batches of an epoch, on the device, beside theirs before they go there."""
    given = {"root": str(draw_set(root, identities=16, images=4)), "threads": asked.threads}
    with ExitStack() as stack:
        target = "benchmarks.ours:loading"
        ours = asked.worker(target, variant="fast", device="cuda", **given)
        tasks = [per_triplet(stack.enter_context(ours))]
        if "ieee" in asked.peers:
            target, path = "benchmarks.peers.ieee:loading", str(asked.peers["ieee"])
            peer = asked.worker(target, path=path, root=str(root), threads=asked.threads)
            tasks.append(per_triplet(stack.enter_context(peer)))
        for task in tasks:
            task()
        own, *peers = interleaved(asked.repeats, *tasks)
    beside = Spread.of(peers[0]).scaled(1e3) if peers else None
    ratio = Spread.of(ratios(peers[0], own)) if peers else None
    return Row(_LOADING, Spread.of(own).scaled(1e3), beside, ratio, "ms each", _OFTEN)


def _whole(root: Path) -> Row:
    """The whole training as a user starts it; its seconds are those of the record."""
    drawn, out = root / "drawn201", root / "runs"
    _harness(root, "data", "synthesize", "--like", "rgbnt201", "--out", str(drawn))
    words = ["run", "--method", "ieee", "--recipe", "rgbnt201", "--dataset", str(drawn)]
    for change in ("pretrained=none", *VARIANTS["fast"]):
        words += ["--set", change]
    _harness(root, *words, "--device", "cuda", "--out", str(out))
    record = json.loads(next(out.glob("*/*/record.json")).read_text())
    seconds = float(record["cost"]["training_seconds"])
    note = f"Once; random weights at the start. mAP {record['metrics']['mAP']:.2f}."
    return Row(_TRAINING, Spread.of([seconds]), goal=_MINUTES, note=note)


def _harness(root: Path, *words: str) -> None:
    environment = {**os.environ, "HARNESS_CACHE": str(root / "cache")}
    command = [sys.executable, "-m", "harness.cli", *words]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)


def _warm(worker: Worker) -> Task:
    """Seconds of a step, after steps enough for every choice of algorithm and graph to be made."""
    worker.run(count=STEPS)
    return lambda: worker.run(count=STEPS).seconds / STEPS


def _rate(seconds: list[float], batch: int) -> Spread:
    return Spread.of([3 * batch / each for each in seconds])


if __name__ == "__main__":
    run_script(__file__, rows, peers=PEERS, device="auto")
