"""What every method does with the module it is handed: unwrap it, and hold it in eval mode."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

from torch import nn

_Net = TypeVar("_Net", bound=nn.Module)


@contextmanager
def in_eval_mode(model: nn.Module) -> Iterator[None]:
    """Eval mode within; a model that was training is put back afterwards."""
    was_training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(was_training)


def unwrapped(model: nn.Module, kind: type[_Net]) -> _Net:
    """The network inside the wrappers of distributed training and torch.compile."""
    for wrapped in ("module", "_orig_mod"):
        model = getattr(model, wrapped, model)
    assert isinstance(model, kind)
    return model
