"""The authors' code of IEEE (a fork of torchreid), driven as their own script drives it.

Each function prepares one kind of work for a worker process, in which `torchreid` is their package.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.peers.borrow import borrowed

CLASSES = 171
# Their configuration, configs/RGBNT_ieee_part_margin.yaml, but for the weights they download.
_LR, _STEPS = 1e-3, [20, 40]


def step(path: str, batch: int, threads: int, device: str = "cpu") -> Callable[..., dict[str, Any]]:
    """Their `forward_backward` on one batch of random images, `count` times a round."""
    torch = _torch(threads)
    torchreid = borrowed(Path(path), "torchreid")
    engine = _engine(torchreid, _Without(), device)
    made = torch.Generator().manual_seed(0)
    images = [torch.randn(batch, 3, 256, 128, generator=made) for _ in range(3)]
    data = {"img": images, "pid": torch.arange(batch) // 4, "timeid": torch.zeros(batch)}
    engine.set_model_mode("train")

    def work(count: int = 1) -> dict[str, Any]:
        for _ in range(count):
            # Their step puts the images on the device inside the list it is given.
            engine.forward_backward({**data, "img": list(images)})
        if device != "cpu":
            torch.cuda.synchronize()
        return {"parameters": sum(p.numel() for p in engine.model.parameters())}

    return work


def epoch(
    path: str, root: str, threads: int, device: str = "cpu", workers: int = 0
) -> Callable[..., dict[str, Any]]:
    """Their training of one epoch with their data manager on a folder that holds RGBNT201."""
    _torch(threads)
    torchreid = borrowed(Path(path), "torchreid")
    manager = _manager(torchreid, root, device, workers)
    engine = _engine(torchreid, manager, device)
    engine.start_epoch, engine.max_epoch = 0, 1

    def work() -> dict[str, Any]:
        engine.train(print_freq=10**9)
        return {"steps": engine.num_batches}

    return work


def loading(path: str, root: str, threads: int, workers: int = 0) -> Callable[..., int]:
    """Their loader alone, one epoch of training batches: decode, resize, flip, normalise."""
    _torch(threads)
    torchreid = borrowed(Path(path), "torchreid")
    loader = _manager(torchreid, root, "cpu", workers).train_loader
    return lambda: sum(len(batch["pid"]) for batch in loader)


def _torch(threads: int) -> Any:
    import torch

    torch.set_num_threads(threads)
    random.seed(0)
    torch.manual_seed(0)
    return torch


class _Without:
    """The little that their engine asks of a data manager when batches come from elsewhere."""

    train_loader = test_loader = None
    num_train_pids = CLASSES
    sources = targets = ()


def _engine(torchreid: Any, manager: Any, device: str) -> Any:
    """Their engine for the 3M loss, as their script builds it."""
    import torch

    on_gpu = device != "cpu"
    model = torchreid.models.build_model(
        "ieee3modalPart", manager.num_train_pids, loss="margin", pretrained=False, use_gpu=on_gpu
    )
    if on_gpu:
        model = torch.nn.DataParallel(model).cuda()
    optimiser = torchreid.optim.build_optimizer(
        model, optim="sgd", lr=_LR, momentum=0.9, weight_decay=5e-4, sgd_nesterov=True
    )
    schedule = torchreid.optim.build_lr_scheduler(
        optimiser, lr_scheduler="multi_step", stepsize=_STEPS
    )
    return torchreid.engine.Image3MEngine(
        manager, model, optimiser, margin=1, scheduler=schedule, use_gpu=on_gpu
    )


def _manager(torchreid: Any, root: str, device: str, workers: int) -> Any:
    with _windows_paths():
        return torchreid.data.ImageDataManager(
            root=root,
            sources="RGBNT201",
            height=256,
            width=128,
            transforms=["random_flip"],
            use_gpu=device != "cpu",
            batch_size_train=8,
            batch_size_test=100,
            workers=workers,
            num_instances=4,
            train_sampler="RandomIdentitySampler",
        )


class _WindowsPath(str):
    """A path that comes apart at a backslash, as their list of files expects of every path."""

    __slots__ = ()

    def split(self, sep: str | None = None, maxsplit: int = -1) -> list[str]:  # type: ignore[override]
        return super().split("/" if sep == "\\" else sep, maxsplit)


@contextlib.contextmanager
def _windows_paths() -> Any:
    import glob

    before = glob.glob
    glob.glob = lambda *words, **more: [_WindowsPath(p) for p in before(*words, **more)]
    try:
        yield
    finally:
        glob.glob = before
