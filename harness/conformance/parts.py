"""Whether a batch may be computed in parts, as the processes of torchrun do it."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from harness.base.errors import PluginError
from harness.conformance.subject import Subject
from harness.training.loop import loss_terms
from harness.training.shared import Shared, cut, mapped, tensors_of

_CLOSE = 1e-4
# Unequal, and of the six images of a batch none of three: that is how many modalities there are.
_CUTS = ((0, 1), (1, 3))
_THIRDS = 3


class _InParts(Shared):
    """As `Shared`, with all parts in this process, one after the other."""

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the model gives for the parts of a batch, joined."""
        outs, tensors = [], []
        for start, stop in _CUTS:

            def part(n: int, start: int = start, stop: int = stop) -> slice:
                return slice(n * start // _THIRDS, n * stop // _THIRDS)

            (own, named), lengths = cut((args, kwargs), part)
            outs.append(self.module(*own, **named))
            tensors.append(tensors_of(outs[-1], lengths))
        joined = iter([torch.cat(parts) for parts in zip(*tensors, strict=True)])

        def whole(_: Tensor, __: str) -> Tensor:
            return next(joined)

        return mapped(outs[0], whole)


def computed_in_parts(subject: Subject) -> None:
    """The loss is the same when the model sees the batch in two parts and `loss` sees all of it.

    Batch normalisation, which torchrun's processes do together, is by running statistics here,
    and dropout is off. A method with a training loop of its own is trained in one process.
    """
    if hasattr(subject.method, "train"):
        return
    batch = subject.labelled(subject.modalities)
    found = []
    for in_parts in (False, True):
        model = subject.copy()
        subject.start_epoch(model)
        for layer in model.modules():
            # Layers without parts of their own: those that draw or normalise are among them.
            if isinstance(layer, _BatchNorm) or not list(layer.children()):
                layer.eval()
        seen: nn.Module = _InParts(model, synchronised=True) if in_parts else model
        try:
            found.append(loss_terms(subject.method, seen, batch))
        except PluginError as error:
            raise subject.broken(error.seen, error.expected, error.do) from error
    for name, term in found[0].items():
        whole, parts = float(term.detach()), float(found[1][name].detach())
        if abs(whole - parts) > _CLOSE * max(abs(whole), 1):
            raise subject.broken(
                f"the loss term {name!r} is {whole:.6g}, and {parts:.6g} when the model sees the "
                "batch in two parts",
                "a model whose output for an image depends on that image only, batch "
                "normalisation aside",
                "move what looks at other images of the batch into loss(), which sees all",
            )
