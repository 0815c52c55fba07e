"""The two modes: what they set, and that `fast` learns what `exact` learns."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from harness.spec.recipe import Optimiser, Recipe
from harness.training import mode
from harness.training.optimiser import make_optimiser
from tests.conftest import SMALL, Harness
from tests.harness.training.made import a_recipe

CPU, CUDA = torch.device("cpu"), torch.device("cuda")
EXACT = a_recipe()
FAST = EXACT.model_copy(update={"mode": "fast"})
FLOAT32 = EXACT.model_copy(update={"mode": "fast", "precision": "float32"})


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    """The switches are the process's; other tests want them as a run sets them."""
    yield
    mode.set_numerics(EXACT, CPU)


def _switches() -> dict[str, bool]:
    return {
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "benchmark": torch.backends.cudnn.benchmark,
        "tf32 convolutions": torch.backends.cudnn.allow_tf32,
        "tf32 products": torch.backends.cuda.matmul.allow_tf32,
    }


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("recipe", "device", "loose"),
    [(EXACT, CPU, False), (FAST, CPU, False), (EXACT, CUDA, False), (FAST, CUDA, True)],
)
def test_only_fast_on_a_gpu_lets_go(recipe: Recipe, device: torch.device, loose: bool) -> None:
    for before in ((FAST, CUDA), (EXACT, CPU)):  # whatever an earlier run of the process set
        mode.set_numerics(*before)
        mode.set_numerics(recipe, device)
        assert _switches() == {
            "deterministic": not loose,
            "benchmark": loose,
            "tf32 convolutions": loose,
            "tf32 products": loose,
        }
    described = mode.described(recipe, device, False)
    assert described["tf32"] == (
        {"convolutions": loose, "products": loose} if device.type == "cuda" else {}
    )


def test_exact_is_float32_whatever_the_recipe_allows() -> None:
    seen = {}
    for name, recipe in {"exact": EXACT, "fast": FAST, "float32": FLOAT32}.items():
        with mode.computing(recipe, CPU):
            seen[name] = nn.Linear(2, 2)(torch.ones(1, 2)).dtype
    assert seen == {"exact": torch.float32, "fast": torch.bfloat16, "float32": torch.float32}


def test_the_hash_says_what_decides() -> None:
    hashes = [r.hash for r in (EXACT, FAST, FLOAT32)]
    assert len(set(hashes)) == 3
    assert EXACT.model_copy(update={"precision": "float32"}).hash == hashes[0]


@pytest.mark.parametrize(
    "settings",
    [
        Optimiser(name="sgd", lr=0.01),
        Optimiser(name="sgd", lr=0.01, nesterov=False),
        Optimiser(name="sgd", lr=0.01, momentum=0),
        Optimiser(name="adam", lr=0.01),
        Optimiser(name="adamw", lr=0.01),
    ],
    ids=lambda s: f"{s.name}-{s.momentum}-{s.nesterov}",
)
def test_the_fused_optimiser_is_the_plain_one(settings: Optimiser) -> None:
    """One step from the same place is the same to an ulp of the weight, before or after.

    Adam's divides by a root, which takes some more roundings.
    """
    ulps = 1 if settings.name == "sgd" else 4
    draw = torch.Generator().manual_seed(0)
    shapes = [(64, 3, 3, 3), (171, 128), (7,), ()]
    model = nn.ParameterList([torch.randn(s, generator=draw) for s in shapes])
    optimiser = make_optimiser(settings, model)
    assert all(group["fused"] for group in optimiser.param_groups)
    plain_model = copy.deepcopy(model)
    plain = make_optimiser(settings, plain_model)
    for _ in range(20):
        before = [p.detach().clone() for p in model]
        plain.load_state_dict(copy.deepcopy(optimiser.state_dict()))
        for group in plain.param_groups:
            group["fused"] = False
        for parameter, other in zip(model, plain_model, strict=True):
            other.data.copy_(parameter)
            parameter.grad = torch.randn(parameter.shape, generator=draw)
            other.grad = parameter.grad.clone()
        optimiser.step()
        plain.step()
        for ours, theirs, start in zip(model, plain_model, before, strict=True):
            ulp = torch.finfo(torch.float32).eps * torch.maximum(start.abs(), theirs.abs())
            assert ((ours - theirs).abs() <= ulps * ulp).all()


class _Small(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3))
        self.calls = 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.body(x)
        return found


def _trial(model: nn.Module) -> None:
    model.train()
    model(torch.randn(8, 3)).square().sum().backward()


@pytest.mark.parametrize("recipe", [EXACT, FAST])
def test_nothing_is_compiled_on_a_cpu(recipe: Recipe) -> None:
    assert not mode.compiled(nn.Identity(), recipe, CPU, lambda: pytest.fail("a trial"))


@pytest.mark.parametrize("works", [True, False])
def test_a_trial_leaves_the_model_as_it_was(
    works: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    """By a compiler that hands the graph back, or breaks; what it makes is not looked at here."""
    model, made = _Small(), []

    def compiler(graph: Any, inputs: Any) -> Any:
        if not works:
            raise NotImplementedError("no such operation\nand much more")
        made.append(graph)
        return graph.forward

    before = {k: v.clone() for k, v in model.state_dict().items()}
    assert mode._compiled(model, lambda: _trial(model), backend=compiler) is works
    assert all(torch.equal(v, before[k]) for k, v in model.state_dict().items())
    assert all(p.grad is None for p in model.parameters())
    assert ("goes on as it is" in capsys.readouterr().err) is not works
    assert len(made) == works
    mode.uncompiled(model)
    model(torch.randn(5, 3).requires_grad_())
    model.eval()(torch.randn(5, 3))
    assert len(made) == works, "other shapes are not compiled any more"


def test_a_model_that_only_holds_its_parts_is_compiled_part_by_part() -> None:
    model, made = nn.ModuleDict({"a": nn.Linear(3, 4), "b": nn.Linear(4, 1)}), []

    def trial() -> None:
        model["b"](model["a"](torch.randn(2, 3))).sum().backward()

    def compiler(graph: Any, inputs: Any) -> Any:
        made.append(graph)
        return graph.forward

    assert mode._compiled(model, trial, backend=compiler) and len(made) == 2


def test_a_record_says_in_which_mode_and_what_was_in_force(
    harness: Harness, tiny: Path, drawn: Path, tmp_path: Path
) -> None:
    words = ["run", "--method", "tiny", "--plugin", tiny, "--dataset", drawn, "--recipe", "smoke"]
    words += [*SMALL, "--device", "cpu", "--out", tmp_path, "--json"]
    for name, extra in {"exact": [], "fast": ["--mode", "fast"]}.items():
        answer = harness(*words, *extra)
        assert answer.code == 0, answer.err
        record = json.loads(Path(answer.json["record"]).read_text())
        assert record["recipe"]["mode"] == name
        assert record["environment"]["numerics"] == {
            "mode": name,
            "autocast": "bf16" if name == "fast" else "none",
            "memory_format": "channels_last" if name == "fast" else "contiguous_format",
            "tf32": {},
            "compiled": False,
        }


def test_an_unknown_mode_is_refused(harness: Harness, tiny: Path, drawn: Path) -> None:
    words = ["run", "--method", "tiny", "--plugin", tiny, "--dataset", drawn, "--recipe", "smoke"]
    answer = harness(*words, "--mode", "quick", "--json")
    assert answer.code == 2 and answer.error["seen"] == "mode = 'quick'"


def test_a_fast_run_on_a_cpu_is_reproduced_to_the_bit(
    harness: Harness, tiny: Path, drawn: Path, tmp_path: Path
) -> None:
    always = ["--plugin", tiny, "--dataset", drawn, "--out", tmp_path, "--json"]
    words = ["run", "--method", "tiny", "--recipe", "smoke", *SMALL, "--mode", "fast"]
    made = harness(*words, "--device", "cpu", *always)
    again = harness("reproduce", made.json["run_id"], *always)
    assert again.code == 0, again.err
    assert again.json["tolerance"] == "identical" and again.json["identical"]
