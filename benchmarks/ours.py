"""Our side of every comparison, as work for a worker process."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

MODES = ("exact", "fast")


def training(
    root: str,
    threads: int,
    mode: str = "exact",
    device: str = "cpu",
    changes: tuple[str, ...] = (),
) -> Callable[..., dict[str, Any]]:
    """One epoch of IEEE's published recipe by the training loop itself, on a drawn set.

    The work takes `flops=True` to also count the operations of the epoch.
    """
    import torch

    from harness.training import loop

    torch.set_num_threads(threads)
    made, model = _prepared(root, mode, device, changes)

    def work(flops: bool = False) -> dict[str, Any]:
        from torch.utils.flop_counter import FlopCounterMode

        if flops:
            with FlopCounterMode(display=False) as counter:
                log = loop.train(made, model)
            return {"steps": log[-1]["steps"], "flops": counter.get_total_flops()}
        log = loop.train(made, model)
        return {"steps": log[-1]["steps"]}

    return work


def loading(root: str, threads: int) -> Callable[[], int]:
    """One epoch of training batches from the array, as the method sees them: normalised float32."""
    import torch

    from harness.training.sampler import identity_batches

    torch.set_num_threads(threads)
    made, _ = _prepared(root, "exact", "cpu", (), model=False)
    drawn = torch.Generator().manual_seed(0)

    def work() -> int:
        count = 0
        for chosen in identity_batches(made.labels, 2, 4, 0, 0):
            rows, labels = made.rows[chosen], made.labels[chosen]
            count += len(made.batches.training(rows, labels, made.modalities, drawn).pids)
        return count

    return work


def _prepared(
    root: str, mode: str, device: str, changes: tuple[str, ...], model: bool = True
) -> tuple[Any, Any]:
    """A training and its model, as a run would have them; the images are decoded here."""
    import numpy as np
    import torch

    from harness.pipeline import open_workshop
    from harness.run import plan_run
    from harness.sides import modalities_of
    from harness.training.loop import Training

    settings = ["epochs=1", "pretrained=none", *changes]
    settings += [f"mode={mode}"] if mode != "exact" else []
    plan = plan_run("ieee", dataset=root, recipe="rgbnt201", changes=settings, device=device)
    shop = open_workshop(plan, torch.device(device))
    samples = plan.data.samples(plan.protocol.train_split)
    known = {pid: i for i, pid in enumerate(sorted({s.pid for s in samples}))}
    made = Training(
        method=shop.method,
        recipe=plan.resolved.recipe,
        seed=0,
        batches=shop.batches,
        rows=shop.arrays.rows[plan.protocol.train_split],
        labels=np.array([known[s.pid] for s in samples], dtype=np.int64),
        modalities=modalities_of(plan, "train"),
        folder=Path(tempfile.mkdtemp(prefix="bench-")),
        key="bench",
    )
    torch.manual_seed(0)
    return made, shop.build("none") if model else None


def scoring(data: str) -> Callable[[], dict[str, Any]]:
    """Our scorer on a matrix of distances."""
    from benchmarks.made_up import read_ranked
    from harness import Labels, score

    distances, told = read_ranked(data)
    query = Labels(told["q_pids"], told["q_cams"])
    gallery = Labels(told["g_pids"], told["g_cams"])

    def work() -> dict[str, Any]:
        found = score(distances, query, gallery)
        return {"mAP": found.mAP, "cmc": [found.rank(rank) for rank in (1, 5, 10)]}

    return work


def rerank(queries: int, gallery: int, width: int) -> Callable[[], list[float]]:
    """Our re-ranking of distances that are there already."""
    from benchmarks.made_up import all_distances, told_of
    from harness.rerank import k_reciprocal

    distances = all_distances(queries, gallery, width)
    return lambda: told_of(k_reciprocal(*distances))
