"""Several processes on a machine with one GPU: on its CPU, and the error that asks for more GPUs.

NCCL between GPUs cannot be tried with one GPU; that the groups for it are made and left is.
"""

from __future__ import annotations

import shutil
import sys
import time
from typing import Any

from benchmarks.gpu_day.parts.common import (
    QUICK,
    WORK,
    changed,
    device,
    finished,
    require,
    step,
    tell,
)

NAME = "processes"
FOLDER = WORK / "processes"


def torchrun(count: int, where: str, seconds: float) -> dict[str, Any]:
    """A short run of IEEE by so many processes."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--nproc-per-node", str(count), "-m", "harness.cli", "run", "--method", "ieee"]
    command += ["--recipe", "smoke", *changed("epochs=1", *(QUICK or ["backbone=resnet18"]))]
    command += ["--device", where, "--out", str(FOLDER)]
    log = WORK / "log" / f"{time.time_ns()}.txt"
    started = time.time()
    code, out = finished(command, seconds, log)
    end = (out + log.read_text(errors="replace"))[-1200:]
    return {"code": code, "seconds": round(time.time() - started, 1), "end": end}


def main() -> None:
    """Two on the CPU; then one and two on the GPU."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    with step(NAME, "two on the CPU") as value:
        require(20)
        value.update(torchrun(2, "cpu", 100))
        tell(f"  two processes on the CPU: code {value['code']}, {value['seconds']} s")
    if device() != "cuda":
        return
    with step(NAME, "one on the GPU") as value:
        require(20)
        value.update(torchrun(1, "cuda", 60))
        tell(f"  torchrun with one process on the GPU: code {value['code']}")
    with step(NAME, "two on one GPU") as value:
        require(20)
        value.update(torchrun(2, "cuda", 60))
        value["clear_error"] = "a GPU for each process" in value["end"]
        tell(f"  two processes, one GPU: a clear error {value['clear_error']}")


if __name__ == "__main__":
    main()
