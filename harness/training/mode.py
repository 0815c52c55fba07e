"""What a recipe's mode means to torch: `exact` is the reference, `fast` is what is quicker."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from harness.base.parallel import world
from harness.base.progress import say
from harness.spec.recipe import Recipe
from harness.training.weights import first_line


def set_numerics(recipe: Recipe, device: torch.device) -> None:
    """Set every switch of torch that the mode decides; they hold for the whole process.

    `exact`: float32 products in float32 and, where torch has them, algorithms that add in the
    same order every time. `fast` on a GPU: TF32, the quickest algorithm whatever its order. On a
    CPU adding in order costs nothing worth mentioning, so both modes do.
    """
    loose = recipe.mode == "fast" and device.type == "cuda"
    # cuBLAS reads this when it starts; without it, deterministic products are refused.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(not loose, warn_only=True)
    # Filling memory nobody reads costs time and changes no number of ours.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.backends.cudnn.benchmark = loose
    # Left alone, torch computes convolutions in TF32 (11 bits) even where products are float32.
    torch.backends.cudnn.allow_tf32 = loose
    torch.backends.cuda.matmul.allow_tf32 = loose


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
    model: nn.Module, recipe: Recipe, device: torch.device, trial: Callable[[], object]
) -> bool:
    """Compile the model's forward into CUDA graphs where that pays, and say whether it was done.

    At a batch of 8 a big GPU waits for the CPU to name the next of some thousand small kernels; a
    graph names them at once. On two CPU cores compiling took 128 s and gave 3 %, so there it is
    not done. The model stays the same object with the same names of weights.

    Args:
        model: Compiled in place.
        recipe: Only `fast` is compiled.
        device: The model's.
        trial: Calls the model as training does and goes back, so that a model that cannot be
            compiled is known now; what it does to buffers and gradients is undone.
    """
    if recipe.mode != "fast" or device.type != "cuda" or world().size > 1:
        # Several processes exchange sums inside the forward pass, which no graph can hold.
        return False
    say("train: compiling the model, which takes a minute or more")
    return _compiled(model, trial, mode="reduce-overhead")


def _compiled(model: nn.Module, trial: Callable[[], object], **options: Any) -> bool:
    buffers = {name: b.clone() for name, b in model.named_buffers()}
    for part in _callables(model):
        part.compile(**options)
    try:
        trial()
        worked = True
    except Exception as error:  # the compiler's errors are of many kinds, and none is a user's
        say(f"train: it cannot be compiled and goes on as it is: {first_line(error)}")
        uncompiled(model)
        worked = False
    with torch.no_grad():
        for name, buffer in model.named_buffers():
            buffer.copy_(buffers[name])
    model.zero_grad(set_to_none=True)
    return worked


def uncompiled(model: nn.Module) -> None:
    """Take the compiled forward away: descriptors come in other shapes, each compiled anew."""
    for part in _callables(model):
        # Torch has no public word for it; this is all that `Module.compile` sets.
        part._compiled_call_impl = None


def _callables(model: nn.Module) -> list[nn.Module]:
    """The model, or its parts where it only holds them and a method calls each."""
    if type(model).forward is nn.Module.forward:
        return list(model.children())
    return [model]


def described(recipe: Recipe, device: torch.device, was_compiled: bool) -> dict[str, Any]:
    """What was in force, for the record: read from torch where torch can say it."""
    return {
        "mode": recipe.mode,
        "autocast": "bf16" if _autocasts(recipe) else "none",
        "memory_format": str(memory_format(recipe)).removeprefix("torch."),
        "tf32": {
            "convolutions": torch.backends.cudnn.allow_tf32,
            "products": torch.backends.cuda.matmul.allow_tf32,
        }
        if device.type == "cuda"
        else {},
        "compiled": was_compiled,
    }


def _autocasts(recipe: Recipe) -> bool:
    return recipe.mode == "fast" and recipe.precision == "bf16"
