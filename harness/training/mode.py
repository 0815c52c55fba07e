"""What a recipe's mode means to torch: `exact` is the reference, `fast` is what is quicker."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import nn

from harness.base.parallel import world
from harness.base.progress import say
from harness.spec.recipe import Recipe
from harness.training.numerics import tf32
from harness.training.weights import first_line

# Of the trial.
_PASSES = 3


def computing(recipe: Recipe, device: torch.device) -> torch.autocast:
    """The block in which a model runs: autocast to bf16 where `fast` may, else as it is."""
    return torch.autocast(device.type, torch.bfloat16, enabled=_autocasts(recipe))


def memory_format(recipe: Recipe) -> torch.memory_format:
    """How images and weights lie in memory.

    Only the order of sums depends on it. On a CPU channels_last was 10 % quicker at 256x128 and
    not at half of that; on a GPU the tensor cores want it.
    """
    return torch.channels_last if recipe.mode == "fast" else torch.contiguous_format


def compiled(
    model: nn.Module,
    recipe: Recipe,
    device: torch.device,
    trial: Callable[[], object],
    because: list[str] | None = None,
) -> bool:
    """Compile the model's forward where that pays, and say whether it was done.

    The compiler makes few kernels of many, which a big GPU with a small batch mostly waits for. On
    two CPU cores compiling took 128 s and gave 3 %, so there it is not done. The model stays the
    same object with the same names of weights.

    Args:
        model: Compiled in place.
        recipe: Only `fast` is compiled.
        device: The model's.
        trial: Calls the model as training does and goes back, so that a model that cannot be
            compiled is known now; what it does to buffers and gradients is undone. Called three
            times, since code may be compiled once more for what it sees the second time.
        because: Where the reason is put if it could not be done.
    """
    if recipe.mode != "fast" or device.type != "cuda" or world().size > 1:
        # Several processes exchange sums inside the forward pass, which no compiler follows.
        return False
    say("train: compiling the model, which takes a minute or more")
    return _compiled(model, trial, because if because is not None else [])


def _compiled(
    model: nn.Module, trial: Callable[[], object], because: list[str], **options: Any
) -> bool:
    from torch._dynamo.utils import counters

    buffers = {name: b.clone() for name, b in model.named_buffers()}
    counters.clear()
    for part in _callables(model):
        part.compile(**options)
    why = ""
    try:
        for _ in range(_PASSES):
            trial()
    except Exception as error:  # the compiler's errors are of many kinds, and none is a user's
        why = first_line(error)
    # Dynamo may also give up without an error, and leave everything as it is.
    if not why and not counters["stats"]["unique_graphs"]:
        why = "the compiler found nothing to compile"
    if why:
        say(f"train: it cannot be compiled and goes on as it is: {why}")
        because.append(f"not compiled: {why}")
        uncompiled(model)
    with torch.no_grad():
        for name, buffer in model.named_buffers():
            buffer.copy_(buffers[name])
    model.zero_grad(set_to_none=True)
    return not why


def uncompiled(model: nn.Module) -> None:
    """Take the compiled forward away: descriptors come in other shapes, each compiled anew.

    What the compiler has learnt goes, too: after eight variants of one function it would compile
    no other, without a word, and the next training of the process may be of the same class.
    """
    compiled_parts = [p for p in _callables(model) if p._compiled_call_impl is not None]
    for part in compiled_parts:
        # Torch has no public word for it; this is all that `Module.compile` sets.
        part._compiled_call_impl = None
    if compiled_parts:
        torch._dynamo.reset()


def compiler_counts() -> dict[str, int]:
    """What the compiler made since the trial, by its own count; empty where there was none."""
    if "torch._dynamo.utils" not in sys.modules:
        return {}
    counters = sys.modules["torch._dynamo.utils"].counters
    found = {
        "graphs": counters["stats"]["unique_graphs"],
        "breaks": sum(counters["graph_break"].values()),
        "frames": counters["frames"]["total"],
        "frames_compiled": counters["frames"]["ok"],
    }
    return {name: int(count) for name, count in found.items()} if found["graphs"] else {}


def _callables(model: nn.Module) -> list[nn.Module]:
    """The model, or its parts where it only holds them and a method calls each."""
    if type(model).forward is nn.Module.forward:
        return list(model.children())
    return [model]


def described(
    recipe: Recipe, device: torch.device, log: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """What was in force, for the record: read from torch where torch can say it.

    Args:
        log: The training's rows, which say what its steps came to.

    Returns:
        `numerics`, what may decide the last bits, among it what torch called nondeterministic; on
        a GPU also `steps`, how the training's were taken, and why not otherwise.
    """
    cuda = device.type == "cuda"
    numerics: dict[str, Any] = {
        "mode": recipe.mode,
        "autocast": "bf16" if _autocasts(recipe) else "none",
        "memory_format": str(memory_format(recipe)).removeprefix("torch."),
        "tf32": tf32() if cuda else {},
        "compiled": any(row.get("compiled", False) for row in log),
    }
    if not cuda:
        return {"numerics": numerics}
    numerics["nondeterministic"] = _all(log, "nondeterministic")
    counts: Mapping[str, int] = next((row["compiler"] for row in log if row.get("compiler")), {})
    steps = {"recorded": sum(row.get("recorded", 0) for row in log), "compiler": counts}
    return {"numerics": numerics, "steps": steps | {"plain_because": _all(log, "plain_because")}}


def _all(log: Sequence[Mapping[str, Any]], key: str) -> list[str]:
    return sorted({one for row in log for one in row.get(key, ())})


def _autocasts(recipe: Recipe) -> bool:
    return recipe.mode == "fast" and recipe.precision == "bf16"
