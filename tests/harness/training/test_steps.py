"""Steps taken by a recording are the steps taken one by one, and no failure of one ends a run."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from harness.spec.method import Batch
from harness.spec.recipe import Optimiser
from harness.training.optimiser import make_optimiser
from harness.training.steps import Record, Steps, noticing, recorder

COUNT = 12


def _batches(absent: int | None = None) -> list[Batch]:
    """Of eight samples with one modality; in one of them an image is absent."""
    draw = torch.Generator().manual_seed(0)
    found = []
    for number in range(COUNT):
        images = torch.randn((8, 3, 4, 2), generator=draw)
        here = torch.ones(8, dtype=torch.bool)
        here[3] = number != absent
        pids = torch.randint(0, 5, (8,), generator=draw)
        found.append(Batch({"RGB": images}, {"RGB": here}, pids, there={"RGB": here.numpy()}))
    return found


class _Taking:
    """A small model in training; `calls` counts the steps that Python itself took."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        self.model = nn.Sequential(
            nn.Flatten(), nn.Linear(24, 6), nn.BatchNorm1d(6), nn.Linear(6, 5)
        )
        self.optimiser = make_optimiser(Optimiser(lr=0.1), self.model)
        self.calls = 0

    def step(self, batch: Batch) -> dict[str, Tensor]:
        self.calls += 1
        logits = self.model(batch.images["RGB"] * batch.present["RGB"][:, None, None, None])
        loss = nn.functional.cross_entropy(logits, batch.pids)
        loss.backward()
        self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=True)
        return {"ce": loss.detach(), "half": loss.detach() / 2}

    def steps(self, record: Record | None) -> Steps:
        return Steps(self.step, lambda: self.optimiser.zero_grad(set_to_none=True), record)


class _Recorder:
    """As a GPU records: nothing happens then, and a replay reads what the inputs hold by now."""

    def __init__(self, taking: _Taking) -> None:
        self.taking, self.made = taking, 0

    def __call__(self, work: Callable[[], None]) -> Callable[[], None]:
        self.made += 1
        rates = [group["lr"] for group in self.taking.optimiser.param_groups]

        def replay() -> None:
            now = [group["lr"] for group in self.taking.optimiser.param_groups]
            for group, rate in zip(self.taking.optimiser.param_groups, rates, strict=True):
                group["lr"] = rate  # a number is noted as it was
            work()
            self.taking.calls -= 1
            for group, rate in zip(self.taking.optimiser.param_groups, now, strict=True):
                group["lr"] = rate

        return replay


def _epochs(
    taking: _Taking, steps: Steps, batches: list[Batch], rates: tuple[float, ...]
) -> list[dict[str, float]]:
    found, last = [], rates[0]
    for epoch, rate in enumerate(rates):
        for group in taking.optimiser.param_groups:
            group["lr"] = rate
        steps.start_epoch(epoch, changed=rate != last)
        last = rate
        for batch in batches:
            # A batch's memory is used anew for the next one.
            steps(copy.deepcopy(batch))
        found.append(steps.losses())
    return found


@pytest.mark.parametrize("absent", [None, 5])
def test_recorded_steps_are_the_steps(absent: int | None) -> None:
    batches, rates = _batches(absent), (0.1, 0.1, 0.01)
    plain = _Taking()
    expected = _epochs(plain, plain.steps(None), batches, rates)
    taking = _Taking()
    record = _Recorder(taking)
    steps = taking.steps(record)
    assert _epochs(taking, steps, batches, rates) == expected
    for name, value in plain.model.state_dict().items():
        assert torch.equal(value, taking.model.state_dict()[name]), name
    alone = 3 + 1 + 3 * (absent is not None)
    assert record.made == 2, "again where the rate has changed, and not otherwise"
    assert taking.calls == alone and plain.calls == 3 * COUNT
    assert steps.recorded == COUNT - 1 - (absent is not None) and steps.because == []


def test_what_cannot_be_recorded_is_taken_one_by_one_and_says_why(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def broken(work: Callable[[], None]) -> Callable[[], None]:
        raise RuntimeError("operation not permitted when stream is capturing\nand more")

    batches = _batches()
    plain, taking = _Taking(), _Taking()
    steps = taking.steps(broken)
    expected = _epochs(plain, plain.steps(None), batches, (0.1, 0.1))
    assert _epochs(taking, steps, batches, (0.1, 0.1)) == expected
    assert steps.because == ["not recorded: operation not permitted when stream is capturing"]
    assert steps.recorded == 0 and "one by one" in capsys.readouterr().err


def test_nothing_is_recorded_on_a_cpu() -> None:
    assert recorder(torch.device("cpu")) is None


def test_what_torch_calls_nondeterministic_is_gathered_and_other_warnings_pass() -> None:
    said = "grid_sampler_2d_backward_cuda does not have a deterministic implementation, but you set"
    with pytest.warns(UserWarning, match="something else") as caught, noticing() as found:
        for _ in range(3):
            warnings.warn(said, stacklevel=1)
        warnings.warn("something else", stacklevel=1)
    assert found == {"grid_sampler_2d_backward_cuda"}
    assert len(caught) == 1


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
def test_recorded_steps_are_the_steps_on_a_gpu() -> None:
    device = torch.device("cuda")
    found = []
    for record in (None, recorder(device)):
        taking = _Taking()
        taking.model.to(device)
        taking.optimiser = make_optimiser(Optimiser(lr=0.1), taking.model)
        steps = taking.steps(record)
        batches = [
            b._replace(
                images={"RGB": b.images["RGB"].to(device)},
                present={"RGB": b.present["RGB"].to(device)},
                pids=b.pids.to(device),
            )
            for b in _batches()
        ]
        with torch.cuda.stream(torch.cuda.Stream()):
            losses = _epochs(taking, steps, batches, (0.1, 0.01))
        assert steps.because == []
        found.append((losses, [p.cpu() for p in taking.model.state_dict().values()]))
    assert found[0][0] == found[1][0]
    assert all(torch.equal(a, b) for a, b in zip(found[0][1], found[1][1], strict=True))
