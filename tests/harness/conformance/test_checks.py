"""A sound method passes every check, and each way to break the contract is caught and named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from harness.base.errors import HarnessError, PluginError
from harness.conformance import CHECKS, Subject, check_method, learns
from harness.spec.method import Batch, DataInfo, MethodInfo
from harness.spec.plugins import load_plugins


class Net(nn.Module):
    """The mean colour of each image through one layer a modality."""

    def __init__(self, data: DataInfo) -> None:
        super().__init__()
        self.streams = nn.ModuleDict({m: nn.Linear(3, 4) for m in data.modalities})
        self.classifier = nn.Linear(4 * len(data.modalities), data.classes)

    def forward(self, batch: Batch) -> Tensor:
        like = next(iter(batch.images.values()))
        parts = []
        for modality, layer in self.streams.items():
            if modality in batch.images:
                found = layer(batch.images[modality].mean((2, 3)))  # type: ignore[index]
                parts.append(found * batch.present[modality][:, None])  # type: ignore[index]
            else:
                parts.append(like.new_zeros(len(like), 4))
        return torch.cat(parts, 1)


class Sound:
    """Keeps every promise."""

    def build(self, config: Any, data: DataInfo) -> nn.Module:
        return Net(data)

    def loss(self, model: Any, batch: Batch) -> dict[str, Tensor]:
        scores = model.classifier(model(batch))
        return {"ce": nn.functional.cross_entropy(scores, batch.pids)}

    def embed(self, model: nn.Module, batch: Batch) -> Tensor:
        found: Tensor = model(batch)
        return found

    def modality_columns(self, model: Any) -> dict[Any, tuple[int, int]]:
        return {m: (4 * i, 4 * i + 4) for i, m in enumerate(model.streams)}


class NoLoss:
    build, embed = Sound.build, Sound.embed


class AlwaysThree(Sound):
    def build(self, config: Any, data: DataInfo) -> nn.Module:
        if len(data.modalities) < 3:
            raise KeyError("RGB")
        return super().build(config, data)


class Infinite(Sound):
    def loss(self, model: Any, batch: Batch) -> dict[str, Tensor]:
        return {"log": (model(batch).square().mean() * 0).log()}


class Unused(Sound):
    def build(self, config: Any, data: DataInfo) -> nn.Module:
        net = super().build(config, data)
        net.spare = nn.Linear(2, 2)
        return net


class Detached(Sound):
    def loss(self, model: Any, batch: Batch) -> dict[str, Tensor]:
        whole = model(batch)
        return {"ce": (model.classifier(whole.detach()).sum() + 0 * whole.sum())}


class OverTheBatch(Sound):
    def embed(self, model: nn.Module, batch: Batch) -> Tensor:
        found = super().embed(model, batch)
        return found - found.mean(0)


class InPlace(Sound):
    def embed(self, model: nn.Module, batch: Batch) -> Tensor:
        batch.images["TI"].add_(1)
        return super().embed(model, batch)


class OwnGenerator(Sound):
    draw = torch.Generator().manual_seed(0)

    def build(self, config: Any, data: DataInfo) -> nn.Module:
        net = super().build(config, data)
        nn.init.normal_(net.classifier.weight, generator=self.draw)
        return net


class Noisy(Sound):
    def embed(self, model: nn.Module, batch: Batch) -> Tensor:
        found = super().embed(model, batch)
        return found + 1e-6 * torch.randn_like(found)


class Forgetful(Sound):
    def build(self, config: Any, data: DataInfo) -> nn.Module:
        net = super().build(config, data)
        net.shift = torch.rand(())
        return net

    def embed(self, model: Any, batch: Batch) -> Tensor:
        return super().embed(model, batch) + model.shift


class NeedsPairs(Sound):
    def loss(self, model: Any, batch: Batch) -> dict[str, Tensor]:
        same = batch.pids[:, None] == batch.pids
        far = torch.cdist(model(batch), model(batch)).masked_fill(same, torch.inf)
        return super().loss(model, batch) | {"pull": far.amin()}


class Crashes(Sound):
    def loss(self, model: Any, batch: Batch) -> dict[str, Tensor]:
        if len(set(batch.pids.tolist())) == 1:
            raise IndexError("no negative")
        return super().loss(model, batch)


class Shorter(Sound):
    def embed(self, model: Any, batch: Batch) -> Tensor:
        return torch.cat([model.streams[m](x.mean((2, 3))) for m, x in batch.images.items()], dim=1)


class LooksAtZeros(Sound):
    def embed(self, model: Any, batch: Batch) -> Tensor:
        there = {m: torch.ones_like(p) for m, p in batch.present.items()}
        return super().embed(model, batch._replace(present=there))


class WrongColumns(Sound):
    def modality_columns(self, model: Any) -> dict[Any, tuple[int, int]]:
        return {"RGB": (0, 8)}


class SharedColumns(Sound):
    def modality_columns(self, model: Any) -> dict[Any, tuple[int, int]]:
        return {"RGB": (0, 4), "TI": (8, 12), "NI": (4, 8)} | {"RGB": (4, 4)}


class LooksAround(Sound):
    class Centred(Net):
        def forward(self, batch: Batch) -> Tensor:
            found = super().forward(batch)
            return found - found.mean(0) if self.training else found

    def build(self, config: Any, data: DataInfo) -> nn.Module:
        return self.Centred(data)


class ModalitiesFirst(Sound):
    class Stacked(Net):
        def forward(self, batch: Batch) -> Tensor:
            found = super().forward(batch)
            return torch.stack(found.split(4, 1)) if self.training else found

    def build(self, config: Any, data: DataInfo) -> nn.Module:
        return self.Stacked(data)

    def loss(self, model: Any, batch: Batch) -> dict[str, Tensor]:
        scores = model.classifier(torch.cat(list(model(batch)), 1))
        return {"ce": nn.functional.cross_entropy(scores, batch.pids)}


class Placed(Sound):
    """Adds a vector of the camera, and needs to be told it."""

    class Net(Net):
        def __init__(self, data: DataInfo) -> None:
            super().__init__(data)
            self.table = nn.Embedding(data.cameras, 4 * len(data.modalities))

        def forward(self, batch: Batch) -> Tensor:
            assert batch.camids is not None, "no camera is told"
            found: Tensor = super().forward(batch) + self.table(batch.camids)
            return found

    def build(self, config: Any, data: DataInfo) -> nn.Module:
        return self.Net(data)

    def modality_columns(self, model: Any) -> dict[Any, tuple[int, int]]:
        return {}


class TwoLengths(Sound):
    def pair(self, model: Any, slots: Any, query: Any, gallery: Any) -> tuple[Tensor, Tensor]:
        return slots[0][:, : 4 * len(query)], slots[1][:, : 4 * len(gallery)]


class PairsAround(Sound):
    def pair(self, model: Any, slots: Any, query: Any, gallery: Any) -> tuple[Tensor, Tensor]:
        return slots[0] - slots[0].mean(0), slots[1]


def info(kind: type, missing: Any = "skip_branch") -> MethodInfo:
    return MethodInfo(name="made-up", target=f"{__name__}:{kind.__name__}", missing=missing)


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    """A target names a module; pytest imports this file without one."""
    import sys
    import types

    module = types.ModuleType(__name__)
    vars(module).update(globals())
    monkeypatch.setitem(sys.modules, __name__, module)


@pytest.mark.parametrize("missing", ["none", "skip_branch"])
def test_a_sound_method_passes(missing: Any) -> None:
    check_method(info(Sound, missing), size=(16, 16))


@pytest.mark.gpu
def test_a_sound_method_passes_on_a_gpu() -> None:
    if not torch.cuda.is_available():
        pytest.skip("no GPU that torch can use")
    check_method(info(Sound), size=(16, 16), device="cuda")


def test_models_and_batches_are_on_the_device_that_is_named() -> None:
    subject = Subject(info(Sound), size=(16, 16), device="meta")
    model = subject.build(subject.modalities)
    assert {p.device.type for p in model.parameters()} == {"meta"}
    for batch in (subject.shown(subject.modalities), subject.labelled(subject.modalities)):
        tensors = [*batch.images.values(), *batch.present.values(), batch.pids]
        assert {x.device.type for x in tensors} == {"meta"}


def test_the_method_of_the_readme_passes(tiny: Path) -> None:
    method = load_plugins([tiny]).methods["tiny"]
    check_method(method, size=(32, 16))


def test_a_method_that_is_told_cameras_must_say_so() -> None:
    placed = info(Placed)
    tagged = placed.model_copy(update={"tags": ("test-camera",)})
    check_method(tagged, size=(16, 16))
    assert learns(Subject(tagged, size=(16, 16)), epochs=1).steps == 4
    with pytest.raises(AssertionError, match="no camera is told"):
        check_method(placed, size=(16, 16))


@pytest.mark.parametrize(
    ("kind", "check", "seen"),
    [
        (NoLoss, "declaration", "has no loss"),
        (Infinite, "finite_losses", "'log' is -inf"),
        (Unused, "reaching_gradients", r"no gradient reaches 2 of \d+ .*spare"),
        (Detached, "reaching_gradients", r"only 2 of 8"),
        (OverTheBatch, "independent_samples", "samples are embedded alone"),
        (InPlace, "independent_samples", "changes the TI images"),
        (OwnGenerator, "repeatable", "a new model of the same seed differs in 1"),
        (Noisy, "repeatable", "twice gives different"),
        (Forgetful, "saved_and_loaded", "descriptors change"),
        (NeedsPairs, "small_batches", "one identity of one image is inf"),
        (Crashes, "small_batches", "ends in IndexError: no negative"),
        (Shorter, "absent_modalities", "4 numbers without|8 numbers without"),
        (LooksAtZeros, "absent_modalities", "absent image by image"),
        (TwoLengths, "mismatched_pairs", r"gave \(3, 12\) and \(3, 4\) for 3 queries"),
        (PairsAround, "mismatched_pairs", r"under RGB\+NI\+TI>TI when it sees fewer rows"),
        (WrongColumns, "declared_columns", "columns 0 to 8 of 12"),
        (SharedColumns, "declared_columns", "columns 4 to 4 of 12"),
        (LooksAround, "computed_in_parts", "the loss term 'ce' is .* in two parts"),
        (ModalitiesFirst, "computed_in_parts", r"output is of shape \(3, 2, 4\), for 2 images"),
    ],
)
def test_each_broken_promise_is_named(kind: type, check: str, seen: str) -> None:
    subject = Subject(info(kind), size=(16, 16))
    with pytest.raises(PluginError, match=seen) as caught:
        CHECKS[check](subject)
    assert caught.value.do and caught.value.expected
    with pytest.raises(HarnessError):
        check_method(info(kind), size=(16, 16))


def test_a_method_for_three_modalities_only_is_caught() -> None:
    with pytest.raises(KeyError):
        check_method(info(AlwaysThree), size=(16, 16))


def test_an_explained_parameter_may_go_without_a_gradient() -> None:
    check_method(info(Unused), size=(16, 16), explained={r"^spare\.": "kept for old checkpoints"})


def test_learning_is_told_from_not_learning() -> None:
    """Colours alone tell a few of eight apart; a method that learns nothing does not improve."""
    subject = Subject(info(Sound), size=(16, 16))
    learned = learns(subject, epochs=2)
    assert learned.steps == 8 and 0 <= learned.rank1 <= 90 and 0 <= learned.before <= 100
