"""Run by torchrun for test_shared.py: each case is computed whole and shared, in float64.

`python -m torch.distributed.run ... shared_cases.py FILE CASE...` writes what the main process saw.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from baselines.shared.losses import CenterLoss, batch_hard_triplet
from baselines.shared.stream_config import StreamConfig
from baselines.shared.streams import Network, StreamMethod
from harness.base.errors import PluginError
from harness.base.parallel import everyones, join, share, world
from harness.conformance.checks import rows_of
from harness.conformance.subject import Subject
from harness.spec.method import Batch, DataInfo, Method
from harness.spec.modality import MODALITIES
from harness.spec.plugins import load_plugins
from harness.training.loop import loss_terms, total_loss
from harness.training.shared import Shared, average_gradients, same_everywhere
from tests.baselines.test_conformance import SMALL


class Net(nn.Module):
    """Batch normalisation of maps and of vectors, one layer that is used outside, one nowhere."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 6, 3)
        self.bn = nn.BatchNorm2d(6)
        self.plain = nn.BatchNorm1d(6, affine=False)
        self.head = nn.Linear(6, 4)
        self.unused = nn.Linear(6, 6)
        self.center = CenterLoss(4, 6, weight=0.3)

    def forward(self, images: dict[str, Tensor]) -> dict[str, Any]:
        found = torch.relu(self.bn(self.conv(images["RGB"] + images["NI"])))
        features = self.plain(found.mean((2, 3)))
        return {"features": features, "rest": (self.head(features), None)}


class Whole:
    """A loss of the whole batch, of a centre outside of the forward pass, too."""

    def loss(self, model: nn.Module, batch: Batch) -> dict[str, Tensor]:
        out = model(batch.images)
        net = getattr(model, "module", model)
        return {
            "ce": functional.cross_entropy(out["rest"][0], batch.pids),
            "triplet": batch_hard_triplet(out["features"], batch.pids, 0.3),
            "center": net.center(out["features"], batch.pids),
        }


class Layers:
    """The README's way: a `ModuleDict` whose layers the loss calls itself."""

    def loss(self, model: Any, batch: Batch) -> dict[str, Tensor]:
        found = torch.stack([model["body"](x) for x in batch.images.values()]).mean(0)
        return {"ce": functional.cross_entropy(model["head"](found), batch.pids)}


class Placed(nn.Module):
    """The camera's own vector takes part inside the forward pass, as camera embeddings do."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6))
        self.table = nn.Embedding(3, 6)

    def forward(self, images: dict[str, Tensor], camids: Tensor) -> Tensor:
        found: Tensor = (self.body(images["RGB"]) * self.table(camids)[:, :, None, None]).mean(
            (2, 3)
        )
        return found


class Cameras:
    """Hands the cameras to the model beside the images."""

    def loss(self, model: nn.Module, batch: Batch) -> dict[str, Tensor]:
        assert batch.camids is not None
        found = model(batch.images, batch.camids)
        return {"triplet": batch_hard_triplet(found, batch.pids, 0.3)}


class Stream(Network):
    widths = (5,)

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 5, 3, 2)
        self.bn = nn.BatchNorm2d(5)

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        return (self.bn(self.conv(images)).relu().mean(dim=(2, 3)),)


class Streams(StreamMethod):
    def network(self, config: StreamConfig, data: DataInfo) -> Stream:
        return Stream()


def batch_of(count: int) -> Batch:
    draw = torch.Generator().manual_seed(3)
    images = {m: torch.rand(count, 3, 9, 7, generator=draw).double() for m in MODALITIES}
    present = {m: torch.ones(count, dtype=torch.bool) for m in MODALITIES}
    return Batch(images, present, torch.arange(count) * 4 // count)


def far(one: dict[str, Tensor | None], two: dict[str, Tensor | None]) -> float:
    """The largest difference, relative to the largest number of its tensor; inf where one lacks.

    Some gradients are zero but for rounding, as a bias's before a normalisation: a tensor counts
    as no smaller than a ten-thousandth of the largest.
    """
    numbers = [v.detach() for v in one.values() if v is not None and v.numel()]
    worst, least = 0.0, 1e-4 * max(float(v.abs().max()) for v in numbers)
    for name, found in two.items():
        want = one[name]
        if want is None or found is None:
            worst = max(worst, 0.0 if want is found else torch.inf)
        elif want.numel():
            size = max(float(want.detach().abs().max()), least)
            worst = max(worst, float((found - want).detach().abs().max()) / size)
    return worst


def compared(method: Any, model: nn.Module, batch: Batch, synchronised: bool = True) -> Any:
    """Losses, gradients and buffers of one step, alone and shared."""
    seen = []
    for wrapped in (False, True):
        net = deepcopy(model).train()
        torch.manual_seed(5)
        terms = loss_terms(method, Shared(net, synchronised) if wrapped else net, batch)
        total_loss(terms).backward()  # type: ignore[no-untyped-call]
        if wrapped:
            average_gradients(net)
        grads = {k: p.grad for k, p in net.named_parameters()}
        buffers = {k: b.double() for k, b in net.named_buffers()}
        seen.append((dict(terms), grads, buffers))
    names = ("losses", "grads", "buffers")
    found = [far(alone, parts) for alone, parts in zip(*seen, strict=True)]
    return dict(zip(names, map(max, zip(*everyones(found), strict=True)), strict=True))


def whole_batch(count: int) -> Any:
    torch.manual_seed(0)
    return compared(Whole(), Net().double(), batch_of(count))


def cameras(count: int) -> Any:
    torch.manual_seed(0)
    batch = batch_of(count)._replace(camids=torch.arange(count) % 3)
    return compared(Cameras(), Placed().double(), batch)


def layers() -> Any:
    torch.manual_seed(0)
    body = nn.Sequential(nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6), nn.Flatten(), nn.Linear(210, 6))
    model = nn.ModuleDict({"body": body, "head": nn.Linear(6, 4)}).double()
    return compared(Layers(), model, batch_of(7))


def absent(ti: int, ni: int) -> Any:
    """So many samples have TI and NI; fewer than two are left out, by all processes."""
    torch.manual_seed(0)
    model = Streams().build(StreamConfig(), DataInfo(4, MODALITIES, 9, 7, "none")).double()
    batch = batch_of(6)
    batch.present["TI"][ti:] = False
    batch.present["NI"][: 6 - ni] = False
    return compared(Streams(), model, batch)


def per_rank() -> Any:
    """Every process normalises its own part; the main one's running statistics count."""
    torch.manual_seed(0)
    model, batch = Net().double().train(), batch_of(6)
    parts = [rows_of(batch, [0, 1, 2]), rows_of(batch, [3, 4, 5])]
    outs = [deepcopy(model)(part.images)["features"] for part in parts]
    shared = deepcopy(model)
    found = Shared(shared, synchronised=False)(batch.images)["features"]
    same_everywhere(shared)
    first = deepcopy(model)
    first(parts[0].images)
    want = {"out": torch.cat(outs), **{k: b.double() for k, b in first.named_buffers()}}
    have = {"out": found, **{k: b.double() for k, b in shared.named_buffers()}}
    return max(everyones(far(want, have)))


def draws() -> Any:
    """What is drawn inside the model and, after it, in the loss."""
    torch.manual_seed(1)
    ones = torch.ones(4, 500)
    inside = Shared(nn.Dropout(0.5), True)(ones)
    mine = inside[share(4)]
    after = torch.rand(3).tolist()
    masks = everyones(mine.bool().tolist())
    numbers = everyones(after)
    return {"inside_differ": masks[0] != masks[1], "after_same": numbers[0] == numbers[1]}


class Odd(nn.Module):
    """Gives what cannot be joined."""

    def __init__(self, make: Callable[[Tensor], Any]) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))
        self.make = make

    def forward(self, images: Tensor) -> Any:
        return self.make(images)


def refused() -> Any:
    said = {}
    for name, make in {
        "parts_first": lambda x: {"logits": x.new_zeros(5, len(x), 3)},
        "mean": lambda x: x.mean(),
        "nothing": lambda x: "nothing",
        "other_shapes": lambda x: x.new_zeros(len(x), 2 + world().rank),
    }.items():
        try:
            Shared(Odd(make), True)(torch.ones(6, 2))
            said[name] = ""
        except PluginError as error:
            said[name] = error.seen
    return said


def some_gradients() -> Any:
    """A parameter that only one process used has a gradient on all; one that none used has not."""
    model = nn.ParameterDict({k: nn.Parameter(torch.ones(2)) for k in ("all", "one", "none")})
    model["all"].grad = torch.full((2,), 1.0 + world().rank)
    if world().rank == 1:
        model["one"].grad = torch.full((2,), 4.0)
    average_gradients(model)
    grads = {k: None if p.grad is None else p.grad.tolist() for k, p in model.items()}
    return everyones(grads)


def of_method(name: str) -> Any:
    """A step of a method of ours, without what it draws inside."""
    info = load_plugins().method(name)
    still = {k: 0.0 for k in ("dropout", "drop_path") if k in info.config.model_fields}
    config = SMALL.get(name, {}) | still
    subject = Subject(info, config)
    method: Method = subject.method
    model = subject.build(subject.modalities).double()
    batch = subject.labelled(subject.modalities, (0, 0, 0, 1, 1, 2, 2))
    images = {m: x.double() for m, x in batch.images.items()}
    subject.start_epoch(model, 0)
    return compared(method, model, batch._replace(images=images))


CASES: dict[str, Callable[[], Any]] = {
    "even": lambda: whole_batch(8),
    "uneven": lambda: whole_batch(7),
    "cameras": lambda: cameras(7),
    "layers": layers,
    "absent": lambda: absent(3, 2),
    "left_out": lambda: absent(1, 5),
    "per_rank": per_rank,
    "draws": draws,
    "refused": refused,
    "some_gradients": some_gradients,
}


def main() -> None:
    file, *names = sys.argv[1:]
    join(["run"])
    torch.set_num_threads(1)
    found = {n: CASES[n]() if n in CASES else of_method(n) for n in names or CASES}
    if world().rank == 0:
        Path(file).write_text(json.dumps(found))


if __name__ == "__main__":
    main()
