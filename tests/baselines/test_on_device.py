"""Every method on a device, as a run has it there: a step, descriptors, pixels, going on.

On a GPU all of it is marked `gpu`. The same tests with the CPU as the device, where some of what
they hold is plain, are there so that a test that no machine of ours runs is not broken either.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from harness.conformance import Subject, check_method
from harness.spec.plugins import load_plugins
from tests.baselines.test_conformance import EXPLAINED, SMALL

torch = pytest.importorskip("torch")

from benchmarks.gpu_day.parts.shop import Shop, draws  # noqa: E402  (it imports torch)
from harness.training.features import embed  # noqa: E402
from harness.training.loop import train  # noqa: E402
from harness.training.pixels import Pixels  # noqa: E402

PLUGINS = load_plugins()
METHODS = sorted(PLUGINS.methods)
QUICK = ("timm",)
STEPS = 2
CLOSE = 1e-4
"""Of a first step's losses in float32, relatively; in TF32 they are some 1e-3 off."""
CHANGES = ("sampler.identities=2", "sampler.instances=2", "augmentation.erase=0.5")


def everywhere(methods: Sequence[str] = METHODS) -> list[Any]:
    """Each method on a GPU, and on the CPU: one quickly, the others among the slow tests."""
    found = [pytest.param(m, "cuda", marks=pytest.mark.gpu) for m in methods]
    for method in methods:
        marks = [] if method in QUICK else [pytest.mark.slow]
        found.append(pytest.param(method, "cpu", marks=marks))
    return found


@pytest.fixture
def place(device: str) -> str:
    """The device, where there is one."""
    if device == "cuda" and not torch.cuda.is_available():
        pytest.skip("no GPU that torch can use")
    return device


@pytest.fixture(autouse=True)
def _own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A shop's folder goes with the test's."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


def opened(method: str, device: str, drawn: Path, *changes: str) -> Shop:
    """A training of a method in its smallest form on the drawn set, in mode exact."""
    info = PLUGINS.methods[method]
    size = () if info.input_size else ("input.height=64", "input.width=32")
    small = [f"config.{name}={value}" for name, value in SMALL.get(method, {}).items()]
    words = [*CHANGES, *size, *small, *changes]
    return Shop(method, device, words, dataset=str(drawn), recipe="smoke")


def descriptors(shop: Shop) -> NDArray[np.float32]:
    protocol = shop.plan.protocol
    rows = shop.shop.arrays.rows[protocol.query_split][:5]
    return embed(shop.method, shop.model, shop.shop.batches, rows, shop.plan.modalities("query"))


@pytest.mark.parametrize(("method", "device"), everywhere())
def test_the_contract_holds_there(method: str, place: str) -> None:
    if place == "cpu":
        # Check by check in test_conformance; here is seen that a device is taken.
        assert Subject(PLUGINS.methods[method], SMALL.get(method), device=place).device.type
        return
    info = PLUGINS.methods[method]
    check_method(info, SMALL.get(method), explained=EXPLAINED.get(method), device=place)


@pytest.mark.parametrize(("method", "device"), everywhere())
def test_a_step_and_the_descriptors_are_those_of_the_cpu(
    method: str, place: str, drawn: Path
) -> None:
    there, here = opened(method, place, drawn), opened(method, "cpu", drawn)
    for name, tensor in there.state().items():
        torch.testing.assert_close(tensor, here.state()[name], rtol=0, atol=0)
    # Before any step, since a step's update may be larger than what it is a difference of.
    np.testing.assert_allclose(descriptors(there), descriptors(here), rtol=1e-3, atol=1e-4)
    there.model.train()
    here.model.train()
    found, wanted = there.steps(STEPS), here.steps(STEPS)
    assert all(np.isfinite(v) for terms in found for v in terms.values())
    if not draws(here.model):
        for name, value in wanted[0].items():
            assert found[0][name] == pytest.approx(value, rel=CLOSE, abs=CLOSE), name


@pytest.mark.parametrize(("method", "device"), everywhere())
def test_two_trainings_are_the_same_to_the_bit(method: str, place: str, drawn: Path) -> None:
    one, two = opened(method, place, drawn), opened(method, place, drawn)
    assert one.steps(STEPS) == two.steps(STEPS)
    same_bits(one, two)


@pytest.mark.parametrize(("method", "device"), everywhere())
def test_pixels_in_its_memory_and_streamed_ones_give_the_same_bits(
    method: str, place: str, drawn: Path
) -> None:
    shops = []
    for where in ("resident", "streamed"):
        shop = opened(method, place, drawn)
        batches = shop.training.batches
        vars(batches)["pixels"] = Pixels(batches.arrays.images, batches.device, where)
        shops.append(shop)
    on_cpu = opened(method, "cpu", drawn)
    for a, b, c in zip(*(shop.batches(STEPS) for shop in (*shops, on_cpu)), strict=True):
        for modality, images in c.images.items():
            assert torch.equal(a.images[modality].cpu(), images)
            assert torch.equal(b.images[modality].cpu(), images)
    assert shops[0].steps(STEPS) == shops[1].steps(STEPS)
    same_bits(*shops)


class Cut(Exception):
    """What ends a training in the middle."""


@pytest.mark.parametrize(("method", "device"), everywhere())
def test_a_training_that_was_cut_off_goes_on_to_the_same_bits(
    method: str, place: str, drawn: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if hasattr(opened(method, "cpu", drawn).method, "train"):
        pytest.skip(f"{method} has a training loop of its own")
    whole, cut, again = (opened(method, place, drawn, "epochs=2") for _ in range(3))
    train(whole.training, whole.model)
    batches = type(cut.training.batches)
    plain, called = batches.epoch, []

    def epoch(self: Any, *args: Any) -> Any:
        called.append(args)
        if len(called) == 2:
            raise Cut
        return plain(self, *args)

    with monkeypatch.context() as patch:
        patch.setattr(batches, "epoch", epoch)
        with pytest.raises(Cut):
            train(cut.training, cut.model)
    folder = cut.training.folder
    assert list(folder.glob("checkpoint*"))
    log = train(replace(again.training, folder=folder), again.model)
    assert [row["epoch"] for row in log] == [1, 2]
    same_bits(whole, again)


def same_bits(one: Shop, two: Shop) -> None:
    left, right = one.state(), two.state()
    assert left.keys() == right.keys()
    assert [name for name in left if not torch.equal(left[name], right[name])] == []
