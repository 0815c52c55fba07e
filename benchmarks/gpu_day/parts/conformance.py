"""The project's conformance checks with models and batches on the GPU."""

from __future__ import annotations

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
from harness.base.accelerator import reference_numerics
from harness.conformance import CHECKS, Subject
from harness.spec.plugins import load_plugins

NAME = "conformance"


def checked(method: str, where: str) -> dict[str, str]:
    """What each check says of a method."""
    words = {"backbone": "resnet18"} if has_backbone(method) else {}
    subject = Subject(load_plugins().method(method), words, device=where)
    found = {}
    for name, check in CHECKS.items():
        if left() < 8:
            found[name] = "not reached"
            continue
        try:
            # As in a run, or small differences would be TF32's.
            with reference_numerics():
                check(subject)
            found[name] = "ok"
        except Exception as error:  # a check's own, or torch's of a device
            found[name] = f"{type(error).__name__}: {str(error)[:300]}"
    return found


def main() -> None:
    """All methods."""
    where = device()
    for method in METHODS[:2] if TINY else methods():
        with step(NAME, method) as value:
            require(15)
            value.update(checked(method, where))
            bad = {k: v for k, v in value.items() if v != "ok"}
            held = len(value) - len(bad)
            tell(f"  conformance {method:8}: {held} of {len(value)} hold; {bad or ''}")


if __name__ == "__main__":
    main()
