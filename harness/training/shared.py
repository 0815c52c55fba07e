"""One training by several processes: each shows the model its part of every batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from itertools import chain
from typing import Any

import torch
from torch import Tensor, distributed, nn

from harness.base.errors import PluginError, TrainingError
from harness.base.hashing import derive_seed
from harness.base.parallel import everyones, joined, share, world
from harness.spec.recipe import Recipe
from harness.training.shared_norm import SynchronisedNorm

# Gradients travel in pieces of so many numbers: few enough trips, little extra memory.
_BUCKET = 8 * 2**20


class Shared(nn.Module):
    """A model that sees the whole batch, of which this process computes its part.

    The losses of this field look at the whole batch (hardest triplets, centres of identities), so
    they cannot be computed by parts. Every process draws the same batch; the forward pass shows
    the model this process's part of it and joins what comes out, so that `loss(model, batch)` is
    the very same for all. Going back, the gradient of what was joined is summed over the
    processes, N times that of one loss; `average_gradients` divides by N. That is right for a
    parameter that acted inside (each process has the part of its samples, N times) and for one
    that acted on what was joined, such as a centre (each has all of it).

    What is drawn inside the model, such as dropout, differs between the processes; what the loss
    draws is the same.

    Args:
        module: The model; everything but calling it is done to this very object.
        synchronised: Batch normalisation over the images of all processes, or of this one alone.
    """

    def __init__(self, module: nn.Module, synchronised: bool) -> None:
        super().__init__()
        self.module = module
        self.synchronised = synchronised

    def __getattr__(self, name: str) -> Any:
        """The model's own attributes, for a loss that asks for them; layers are shared, too."""
        try:
            return super().__getattr__(name)
        except AttributeError:
            return self._shared(getattr(super().__getattr__("module"), name))

    def __getitem__(self, key: Any) -> Any:
        """The layers of a `ModuleDict`, `ModuleList` or `Sequential`, shared, too."""
        return self._shared(self.module[key])  # type: ignore[index]

    def __iter__(self) -> Iterator[Any]:
        """The layers of a `ModuleList` or `Sequential`, or the keys of a `ModuleDict`."""
        return map(self._shared, self.module.__iter__())  # type: ignore[operator]

    def items(self) -> list[tuple[str, Any]]:
        """The layers of a `ModuleDict` by name, shared, too."""
        return [(key, self._shared(found)) for key, found in self.module.items()]  # type: ignore[operator]

    def values(self) -> list[Any]:
        """The layers of a `ModuleDict`, shared, too."""
        return [found for _, found in self.items()]

    def _shared(self, found: Any) -> Any:
        return type(self)(found, self.synchronised) if isinstance(found, nn.Module) else found

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the model gives for the whole batch.

        Args:
            args, kwargs: The model's; of every tensor in them this process's part of the first
                axis is passed on.

        Raises:
            PluginError: The output holds something that cannot be joined along its first axis.
        """
        own, lengths = cut((args, kwargs), share)
        seed = int(torch.randint(2**62, ()))
        started = torch.cuda.is_initialized()  # type: ignore[no-untyped-call]
        gpu = [torch.cuda.current_device()] if started else []
        with torch.random.fork_rng(gpu):
            torch.manual_seed(derive_seed("process", seed, world().rank))
            with SynchronisedNorm() if self.synchronised else nullcontext():
                out = self.module(*own[0], **own[1])
        return _whole(out, lengths)


def shared(model: nn.Module, recipe: Recipe) -> nn.Module:
    """The model as `loss` sees it: itself in a process alone, else in parts, all starting alike.

    Raises:
        TrainingError: Too few images in a batch for so many processes.
    """
    if world().size == 1:
        return model
    require_images(recipe)
    same_everywhere(model)
    return Shared(model, recipe.batch_norm == "synchronised")


def require_images(recipe: Recipe) -> None:
    """Stop before any work if a process would have nothing to do.

    Raises:
        TrainingError: Fewer images in a batch than processes, or single ones to normalise.
    """
    images, here = recipe.sampler.identities * recipe.sampler.instances, world()
    least = 1 if recipe.batch_norm == "synchronised" else 2
    if here.size > 1 and images < least * here.size:
        raise TrainingError(
            seen=f"batches of {images} images for {here.size} processes",
            expected=f"{least * here.size} images or more (batch_norm = {recipe.batch_norm})",
            do=f"--nproc-per-node {max(1, images // least)} or fewer, or larger sampler.instances",
        )


def average_gradients(model: nn.Module) -> None:
    """After `backward`, give every process the gradient of the whole batch.

    By hand, because torch's DistributedDataParallel wants every parameter to act inside its
    forward pass: the value projection of IEEE never does, centres of a loss do so outside.
    """
    size = world().size
    if size == 1:
        return
    params = [p for p in model.parameters() if p.requires_grad]
    moved = torch.tensor([p.grad is not None for p in params], dtype=torch.uint8)
    # Whether a parameter took part may depend on the images a process saw; all have to agree.
    distributed.all_reduce(moved, distributed.ReduceOp.MAX)
    grads = []
    for parameter, took_part in zip(params, moved.tolist(), strict=True):
        if took_part:
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
            grads.append(parameter.grad)
    for bucket in _buckets(grads):
        flat = torch.cat([g.flatten() for g in bucket])
        distributed.all_reduce(flat)
        parts = torch.split(flat.div_(size), [g.numel() for g in bucket])
        for grad, part in zip(bucket, parts, strict=True):
            grad.copy_(part.view_as(grad))


def same_everywhere(model: nn.Module) -> None:
    """Give every process the main one's parameters and buffers.

    Parameters stay alike by themselves. Running statistics of batches that each process
    normalised by itself do not; the main one's count, as in torch's DistributedDataParallel.
    """
    if world().size == 1:
        return
    with torch.no_grad():
        for tensor in chain(model.parameters(), model.buffers()):
            whole = tensor.detach().contiguous()
            distributed.broadcast(whole, 0)
            tensor.copy_(whole)


def mapped(tree: Any, change: Callable[[Tensor, str], Any], place: str = "") -> Any:
    """Every tensor changed, in dicts, lists, tuples and named tuples; other things as they are.

    Args:
        tree: What a model takes or gives.
        change: Called with a tensor and where it is, such as `.logits['RGB']`.
        place: Of the tree itself.
    """
    if isinstance(tree, Tensor):
        return change(tree, place)
    if isinstance(tree, Mapping):
        return {k: mapped(v, change, f"{place}[{k!r}]") for k, v in tree.items()}
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        fields = zip(tree._fields, tree, strict=True)
        return type(tree)(*(mapped(v, change, f"{place}.{k}") for k, v in fields))
    if isinstance(tree, list | tuple):
        return type(tree)(mapped(v, change, f"{place}[{i}]") for i, v in enumerate(tree))
    return tree


def cut(tree: Any, part: Callable[[int], slice]) -> tuple[Any, set[int]]:
    """What a model takes with every tensor cut along its first axis, and the lengths that are left.

    Args:
        tree: As for `mapped`.
        part: The part of so many.
    """
    lengths: set[int] = set()

    def one(tensor: Tensor, _: str) -> Tensor:
        if tensor.ndim == 0:
            return tensor
        own = tensor[part(len(tensor))]
        lengths.add(len(own))
        return own

    return mapped(tree, one), lengths


def tensors_of(out: Any, lengths: set[int]) -> list[Tensor]:
    """The tensors of a model's output, in order.

    Args:
        out: As for `mapped`.
        lengths: Of the first axes that the model was given.

    Raises:
        PluginError: One that cannot be joined to its other parts along the first axis.
    """
    found: list[tuple[Tensor, str]] = []
    mapped(out, lambda tensor, place: found.append((tensor, place)))
    for tensor, place in found:
        if tensor.ndim == 0 or len(tensor) not in lengths:
            raise _cannot_join(place, f"of shape {tuple(tensor.shape)}", lengths)
    if not found:
        raise _cannot_join("", f"a {type(out).__name__}", lengths)
    return [tensor for tensor, _ in found]


class _Join(torch.autograd.Function):
    """The parts of all processes along the first axis; going back, one's part of the sum of all."""

    @staticmethod
    def forward(ctx: Any, part: Tensor, counts: list[int]) -> Tensor:
        first = sum(counts[: world().rank])
        ctx.own = slice(first, first + len(part))
        return joined(part, counts)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        whole = grads[0].contiguous().clone()
        distributed.all_reduce(whole)
        return whole[ctx.own], None


def _whole(out: Any, lengths: set[int]) -> Any:
    """A model's output with every tensor joined over the processes."""
    shapes = everyones([tuple(tensor.shape) for tensor in tensors_of(out, lengths)])
    if len({tuple(shape[1:] for shape in own) for own in shapes}) > 1:
        raise _cannot_join("", "of other shapes on other processes", lengths)
    by_tensor: Iterator[tuple[tuple[int, ...], ...]] = zip(*shapes, strict=True)

    def join(tensor: Tensor, _: str) -> Tensor:
        whole: Tensor = _Join.apply(tensor, [shape[0] for shape in next(by_tensor)])
        return whole

    return mapped(out, join)


def _cannot_join(place: str, what: str, lengths: set[int]) -> PluginError:
    rows = " or ".join(map(str, sorted(lengths)))
    return PluginError(
        seen=f"with several processes: the model's output{place} is {what}, for {rows} images",
        expected="tensors with the images on the first axis, in dicts, lists or (named) tuples",
        do="put the images first and modalities under their names; take means in loss(), which "
        "sees the whole batch",
    )


def _buckets(grads: list[Tensor]) -> Iterator[list[Tensor]]:
    """Neighbours of one type and device, together not much above the size of a piece."""
    bucket: list[Tensor] = []
    for grad in grads:
        alike = bucket and (bucket[0].dtype, bucket[0].device) == (grad.dtype, grad.device)
        if bucket and not (alike and sum(g.numel() for g in bucket) < _BUCKET):
            yield bucket
            bucket = []
        bucket.append(grad)
    if bucket:
        yield bucket
