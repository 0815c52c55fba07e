"""What the machine is and can do, and whether the project imports there."""

from __future__ import annotations

import importlib
import logging
import os
import pkgutil
import platform
import re
import shutil
import subprocess
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from typing import Any

from benchmarks.gpu_day.parts.common import device, harness, step, tell
from benchmarks.gpu_day.parts.peaks import peaks

NAME = "environment"


def said(*words: str) -> str:
    """What a command prints, or why it cannot."""
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=30, check=False)
        return done.stdout.strip()
    except (OSError, subprocess.TimeoutExpired) as error:
        return type(error).__name__


def machine() -> dict[str, Any]:
    """Versions, compilers and the GPU."""
    import torch

    found: dict[str, Any] = {
        "python": platform.python_version(),
        "kernel": platform.release(),
        "cores": len(os.sched_getaffinity(0)),
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
        "cudnn": torch.backends.cudnn.version(),
        "compilers": {n: bool(shutil.which(n)) for n in ("gcc", "cc", "nvcc", "ptxas", "git")},
        "nvcc": said("nvcc", "--version")[-80:],
    }
    if torch.cuda.is_available():
        about = torch.cuda.get_device_properties(0)
        query = "name,driver_version,clocks.sm,clocks.mem,power.draw,power.limit,pstate"
        found |= {
            "gpu": about.name,
            "memory_mib": about.total_memory // 2**20,
            "multiprocessors": about.multi_processor_count,
            "free_total": torch.cuda.mem_get_info(),
            "smi": said("nvidia-smi", f"--query-gpu={query}", "--format=csv,noheader"),
        }
    return found


def packages() -> dict[str, str]:
    """Versions of what the project needs."""
    names = {"mmreid-harness", "pytest", "hypothesis", "triton", "setuptools", "pydantic_core"}
    for line in requires("mmreid-harness") or []:
        if "extra ==" not in line:
            names.update(re.findall(r"^[\w.-]+", line))
    found = {}
    for name in sorted(names):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def imports() -> dict[str, str]:
    """Modules of the project that cannot be imported, and why."""
    bad = {}
    logging.disable(logging.CRITICAL)
    for top in ("harness", "ieee", "baselines", "reid_datasets"):
        for name in _modules(top):
            try:
                importlib.import_module(name)
            except Exception as error:  # whatever it is, it is what is looked for
                bad[name] = f"{type(error).__name__}: {str(error)[:120]}"
    return bad


def _modules(top: str) -> Iterator[str]:
    yield top
    package = importlib.import_module(top)
    for module in pkgutil.walk_packages(package.__path__, f"{top}.", onerror=lambda _: None):
        if not module.name.endswith("__main__"):
            yield module.name


def main() -> None:
    """What the machine is, what can be imported there, and its ceilings."""
    with step(NAME, "machine") as value:
        value.update(machine())
        tell("machine:", *(f"  {k}: {v}" for k, v in value.items()))
    with step(NAME, "packages") as value:
        value.update(packages())
        tell("packages: " + ", ".join(f"{k} {v}" for k, v in value.items()))
    with step(NAME, "imports") as value:
        value["cannot"] = imports()
        tell(f"modules that cannot be imported: {value['cannot'] or 'none'}")
    with step(NAME, "list") as value:
        value |= {k: v for k, v in harness("list", "methods", "--json").items() if k != "log"}
        tell(f"harness list methods: code {value['code']}, {value['seconds']} s")
    with step(NAME, "peaks") as value:
        value.update(peaks(device()))
        tell("peaks: " + ", ".join(f"{k} {v}" for k, v in value.items()))


if __name__ == "__main__":
    main()
