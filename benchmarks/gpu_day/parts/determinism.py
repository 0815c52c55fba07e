"""Two runs of the command line with the same words: the weights' and descriptors' hashes."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from benchmarks.gpu_day.parts.common import (
    QUICK,
    TINY,
    WORK,
    changed,
    device,
    harness,
    hashes,
    record_of,
    step,
    tell,
)

NAME = "determinism"
CASES: dict[str, tuple[str, tuple[str, ...]]] = {
    "ieee": ("ieee", ()),
    "timm": ("timm", ()),
    "timm, vit": ("timm", ("backbone=vit_tiny_patch16_224",)),
    "hacnn": ("hacnn", ()),
}
"""Method and changes, by the name in the report."""


def run(case: str, which: str, where: str) -> dict[str, Any]:
    """The answer of the command line."""
    method, changes = CASES[case]
    words = changed("epochs=2", *QUICK, *changes)
    out = WORK / "determinism" / case.replace(", ", "-") / which
    given = ["--method", method, "--recipe", "smoke", "--device", where, *words]
    return harness("run", *given, "--out", out, "--json")


def main() -> None:
    """All cases at a time, since nothing is timed."""
    where = device()
    shutil.rmtree(WORK / "determinism", ignore_errors=True)
    cases = ["ieee"] if TINY else list(CASES)
    with ThreadPoolExecutor(1 if TINY else 4) as pool:
        asked = {(c, w): pool.submit(run, c, w, where) for c in cases for w in ("a", "b")}
        for case in cases:
            with step(NAME, case) as value:
                one, two = (asked[case, which].result() for which in ("a", "b"))
                value |= {"codes": [one["code"], two["code"]], "torch_warned_of": one["warnings"]}
                value["ends"] = [one["end"], two["end"]]
                found = [hashes(record_of(answer)) for answer in (one, two)]
                value |= {"identical": found[0] == found[1], "hashes": found}
                tell(f"  two runs of {case}: identical {value['identical']}, {one['warnings']}")


if __name__ == "__main__":
    main()
