"""What the main job costs on a CPU: start-up, loading, scoring and a training step.

Run by hand: python benchmarks/cpu.py [--quick]. Each row is the median of interleaved repeats with
their range; a ratio is of two things measured in the same run. Results go into README.md by hand.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np


def main() -> None:
    """Measure everything and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="leave the training step out")
    quick = parser.parse_args().quick
    print("| what | median | range |\n|---|---|---|")
    start_up()
    scoring()
    loading()
    if not quick:
        training_step()


def row(what: str, seconds: Sequence[float], unit: str = "s", scale: float = 1.0) -> None:
    """One line of the table."""
    values = [scale * s for s in seconds]
    middle = statistics.median(values)
    print(f"| {what} | {middle:.3g} {unit} | {min(values):.3g} to {max(values):.3g} |", flush=True)


def interleaved(repeats: int, *tasks: Callable[[], object]) -> list[list[float]]:
    """Seconds of each task, taken in turns, so that a slow minute hits all alike."""
    times: list[list[float]] = [[] for _ in tasks]
    for _ in range(repeats):
        for task, taken in zip(tasks, times, strict=True):
            started = time.perf_counter()
            task()
            taken.append(time.perf_counter() - started)
    return times


def start_up() -> None:
    """The command line's answers, as whole processes."""

    def command(*words: str) -> Callable[[], object]:
        whole = [sys.executable, "-m", "harness.cli", *words]
        return lambda: subprocess.run(whole, capture_output=True, check=True)

    helped, listed = interleaved(9, command("--help"), command("list", "methods"))
    row("`harness --help`", helped)
    row("`harness list methods`", listed)


def scoring() -> None:
    """Our scorer beside the plain reference, on RGBNT201's size."""
    from harness import Labels, score
    from harness.scoring_reference import score_plain

    rng = np.random.default_rng(0)
    labels = Labels(rng.integers(0, 30, 836), rng.integers(0, 2, 836))
    distances = rng.random((836, 836), dtype=np.float32)
    fast, plain = interleaved(
        5,
        lambda: score(distances, labels, labels),
        lambda: score_plain(distances, labels, labels),
    )
    row("scoring 836 x 836", fast)
    row("the same, plain reference", plain)
    ratios = [p / f for p, f in zip(plain, fast, strict=True)]
    row("reference over ours", ratios, "times")


def loading() -> None:
    """A batch from the memory-mapped array beside decoding its JPEGs."""
    from harness.data.arrays import decode, resized
    from harness.data.images import read_image
    from harness.data.open import open_dataset
    from harness.plugins import load_plugins
    from reid_datasets.synthesize import write_parallel

    with tempfile.TemporaryDirectory() as folder:
        train = [
            f"{p:06d}_cam{c}_0_{i:02d}.jpg" for p in range(8) for c in (1, 2) for i in range(4)
        ]
        test = [name.replace("00000", "00001") for name in train[:16]]
        root = Path(folder) / "set"
        write_parallel(root, {"train_171": train, "test": test}, seed=0, name="benchmark")
        data = open_dataset(str(root), load_plugins())
        arrays = decode(data, 256, 128)
        samples, rows = data.samples("train"), arrays.rows["train"]
        mapped, decoded = interleaved(
            9,
            lambda: int(arrays.images[rows].sum()),
            lambda: [resized(read_image(p), 256, 128) for s in samples for p in s.paths.values()],
        )
    row("64 triplets from the array", mapped, "ms", 1000)
    row("64 triplets decoded and resized", decoded, "ms", 1000)
    ratios = [d / m for d, m in zip(decoded, mapped, strict=True)]
    row("decoding over array", ratios, "times")


def training_step() -> None:
    """One step of IEEE on random images, at the published and at the smoke size."""
    import torch

    from harness.method import Batch, DataInfo
    from harness.modality import MODALITIES
    from ieee.config import IEEEConfig
    from ieee.method import IEEE

    method = IEEE()
    for height, width in ((128, 64), (256, 128)):
        info = DataInfo(171, MODALITIES, height, width, "none")
        model = method.build(IEEEConfig(), info).train()
        optimiser = torch.optim.SGD(model.parameters(), 1e-3, 0.9, weight_decay=5e-4, nesterov=True)
        images = {m: torch.randn(8, 3, height, width) for m in MODALITIES}
        there = {m: torch.ones(8, dtype=torch.bool) for m in MODALITIES}
        batch = Batch(images, there, torch.arange(8) // 4)

        step = partial(_step, method, model, optimiser, batch)
        step()
        (taken,) = interleaved(4, step)
        row(f"IEEE training step, batch 8, {height}x{width}", taken)


def _step(method: Any, model: Any, optimiser: Any, batch: Any) -> None:
    optimiser.zero_grad()
    sum(method.loss(model, batch).values()).backward()
    optimiser.step()


if __name__ == "__main__":
    main()
