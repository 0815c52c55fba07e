"""Images a second of IEEE at 256x128: the authors' code, exact, fast; and what bounds each.

First batch 8, the published one, whole; then 32 and 128. A graph costs a minute or more to
compile, so `fast` is measured without compiling first.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from benchmarks.gpu_day.parts.common import (
    KIT,
    TINY,
    WORK,
    finished,
    keep,
    left,
    require,
    step,
    tell,
)

NAME = "speed"
PEER = next(iter(sorted((KIT / "peers").glob("*/torchreid"))), None)
STEPS = {8: 1} if TINY else {8: 30, 32: 15, 128: 6}
"""Of a round, by batch size."""
Row = dict[str, Any]


def plan() -> list[Row]:
    """What is measured, as words for the probe, in the order of what is wanted most."""
    rows: list[Row] = []
    for batch, steps in STEPS.items():
        published = batch == 8
        sides: list[Row] = [
            {"side": "ours", "variant": "exact", "profile": True},
            {"side": "ours", "variant": "fast", "profile": published},
            {"side": "ours", "variant": "fast", "compile": True, "profile": True},
        ]
        if PEER is not None:
            path = str(PEER.parent)
            sides.insert(0, {"side": "peer", "path": path, "profile": published and not TINY})
        if published:
            sides.append({"side": "ours", "variant": "fast, float32"})
        rounds = 1 if TINY else 5
        rows += [{"batch": batch, "steps": steps, "rounds": rounds, **side} for side in sides]
    # The published batch entirely, then the others without compiling, then with it.
    rows.sort(key=lambda row: (row["batch"] != 8, row.get("compile", False) and row["batch"] != 8))
    if not TINY:
        rows.append({"side": "bare", "batch": 128, "steps": 6, "rounds": 3, "profile": True})
    return rows


def name_of(row: Row) -> str:
    """Of a row, for people."""
    side = {"peer": "authors", "bare": "three bare ResNet-50"}.get(row["side"], row.get("variant"))
    return f"batch {row['batch']}, {side}" + (", compiled" if row.get("compile") else "")


def measured(row: Row) -> Row:
    """The last whole line of the probe, also of one whose time was up."""
    log = WORK / "log" / f"probe-{time.time_ns()}.txt"
    command = [sys.executable, "-m", "benchmarks.gpu_day.parts.probe", json.dumps(row)]
    _, out = finished(command, min(300, left() - 5), log)
    lines = [line for line in out.splitlines() if line.startswith("{")]
    if not lines:
        raise RuntimeError(f"no answer: {log.read_text(errors='replace')[-500:]}")
    found: Row = json.loads(lines[-1])
    return found


def bound(row: Row, peaks: dict[str, float]) -> str:
    """What a step waits for, by the share of time the device was busy and of its peak."""
    busy = row.get("busy_%")
    if busy is None:
        return "not profiled"
    if busy < 85:
        return f"the host: the device works {busy:.0f} % of the time"
    kind = "bf16_tflops" if row.get("variant") == "fast" else "float32_tflops"
    share = 100 * row.get("tflops", 0) / peaks[kind] if peaks.get(kind) else 0
    heavy = row.get("profile", {}).get("groups_%", {}).get("conv and products", 0)
    if share > 50:
        what = "arithmetic"
    elif heavy < 60:
        what = "memory and small kernels"
    else:
        what = "convolutions below their peak"
    return (
        f"{what}: {share:.0f} % of the {kind.removesuffix('_tflops')} peak, {heavy:.0f} % of the "
        "time in convolutions and products"
    )


def ceilings() -> dict[str, float]:
    """Of the GPU, where there is one."""
    import torch

    from benchmarks.gpu_day.parts.peaks import peaks

    return peaks("cuda") if torch.cuda.is_available() else {}


def report(found: Row, beside: Row | None) -> None:
    """Lines of a row, and its longest kernels where they are of interest."""
    rate = found["images_per_s"]
    ratio = f", {rate / beside['images_per_s']:.2f} x the authors'" if beside else ""
    tell(
        f"  {name_of(found):28} {rate:9.1f} images/s, {found['ms']:.2f} ms"
        f" (in the loop {found.get('loop_ms', '-')}), {found.get('tflops', '-')} TFLOP/s, "
        f"busy {found.get('busy_%', '-')} %, peak {found.get('peak_mib', '-')} MiB{ratio}",
        f"    bound by {found['bound']}",
    )
    if found.get("compile"):
        tell(f"    compiled {found.get('compiled')} in {found.get('compile_seconds')} s")
    if found["batch"] == 8 or found["side"] == "bare":
        for one in found.get("profile", {}).get("top", []):
            tell(
                f"      {one['ms_per_step']:8.3f} ms {one['%']:5.1f} % "
                f"{one['calls_per_step']:7.1f} x {one['kernel'][:100]}"
            )


def main() -> None:
    """Everything in the plan, as far as the time goes."""
    peaks: dict[str, float] = {}
    with step(NAME, "peaks") as value:
        require(20)
        peaks = ceilings()
        value.update(peaks)
        tell(f"peaks here: {peaks}")
    if PEER is None:
        tell("no checkout of the authors' code in peers/: their side is not measured")
    rates: dict[str, Row] = {}
    for row in plan():
        name = name_of(row)
        with step(NAME, name) as value:
            require(1 if TINY else 25 + 60 * bool(row.get("compile")))
            value.update(measured(row))
            value["bound"] = bound(value, peaks)
            rates[name] = value
            report(value, rates.get(f"batch {row['batch']}, authors"))
            if value.get("compile"):
                keep(NAME, {"compile seconds": value.get("compile_seconds")})


if __name__ == "__main__":
    main()
