"""The project's conformance checks with models and batches on the GPU."""

from __future__ import annotations

from typing import Any

import torch

from benchmarks.gpu_day.parts.common import (
    METHODS,
    TINY,
    device,
    left,
    methods,
    require,
    step,
    tell,
)
from benchmarks.gpu_day.parts.shop import has_backbone

NAME = "conformance"


def subject_on(where: str) -> Any:
    """The class of subjects whose models and batches are on the device."""
    from harness.conformance import Subject

    class There(Subject):
        """As the checks know it, on another device."""

        def build(self, *args: Any, **kwargs: Any) -> Any:
            return super().build(*args, **kwargs).to(where)

        def shown(self, *args: Any, **kwargs: Any) -> Any:
            batch = super().shown(*args, **kwargs)
            images, present = (
                {m: x.to(where) for m, x in part.items()} for part in (batch.images, batch.present)
            )
            return type(batch)(images, present, batch.pids.to(where))

        def labelled(self, *args: Any, **kwargs: Any) -> Any:
            batch = super().labelled(*args, **kwargs)
            return batch._replace(pids=batch.pids.to(where))

    return There


def checked(method: str, where: str) -> dict[str, str]:
    """What each check says of a method."""
    from harness.conformance import CHECKS
    from harness.spec.plugins import load_plugins

    words = {"backbone": "resnet18"} if has_backbone(method) else {}
    subject = subject_on(where)(load_plugins().method(method), words, (64, 32))
    found = {}
    for name, check in CHECKS.items():
        if left() < 8:
            found[name] = "not reached"
            continue
        try:
            check(subject)
            found[name] = "ok"
        except Exception as error:  # a check's own, or torch's of a device
            found[name] = f"{type(error).__name__}: {str(error)[:300]}"
    return found


def main() -> None:
    """All methods."""
    where = device()
    # As in a run: reference numerics, or small differences would be TF32's.
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    torch.use_deterministic_algorithms(True, warn_only=True)
    for method in METHODS[:2] if TINY else methods():
        with step(NAME, method) as value:
            require(15)
            value.update(checked(method, where))
            bad = {k: v for k, v in value.items() if v != "ok"}
            held = len(value) - len(bad)
            tell(f"  conformance {method:8}: {held} of {len(value)} hold; {bad or ''}")


if __name__ == "__main__":
    main()
