"""Where a run happened: packages, code, machine, threads and settings; nothing of whose it is."""

from __future__ import annotations

import itertools
import os
import platform
import re
import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, entry_points, requires, version
from pathlib import Path
from typing import Any

from harness.evidence.checkout import describe_code
from harness.evidence.privacy import without_person

_NAME = "mmreid-harness"


def harness_version() -> str:
    """The installed version of the harness."""
    return _version(_NAME)


def describe(device: str, method: str = "") -> dict[str, Any]:
    """What a record says of the machine and the software.

    No environment variable is read but torch's and CUDA's own settings, and no name of a host or a
    user: `command` is as it was typed, with `~` for the home folder and no password.

    Args:
        device: Torch's name for it.
        method: The registered name, for the version of the package that brings it.
    """
    import torch

    found: dict[str, Any] = {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": _packages(method),
        "device": device,
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_mib": _memory_mib(),
        "threads": torch.get_num_threads(),
        "threads_between_operations": torch.get_num_interop_threads(),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "determinism": _determinism(),
        **describe_code(),
        "command": [Path(sys.argv[0]).name, *map(without_person, sys.argv[1:])],
    }
    if device.startswith("cuda"):
        found |= _gpu(device)
    return found


def plugins_of(environment: Mapping[str, Any]) -> list[str]:
    """What stood after --plugin in the command of a run, as its environment says it."""
    command = environment.get("command")
    words = [str(word) for word in command] if isinstance(command, list) else []
    after = [b for a, b in itertools.pairwise(words) if a == "--plugin"]
    joined = (word.partition("=") for word in words)
    return after + [value for option, equals, value in joined if equals and option == "--plugin"]


def _packages(method: str) -> dict[str, str]:
    """Versions of the harness, of all it depends on, and of the package of the method."""
    names = [_NAME]
    try:
        # "SQLAlchemy>=2" and "matplotlib>=3.9; extra == 'figures'".
        needed = requires(_NAME) or []
    except PackageNotFoundError:
        needed = []
    for line in needed:
        if "extra ==" not in line:
            names += re.findall(r"^[\w.-]+", line)
    found = {name.lower(): _version(name) for name in names}
    for entry in entry_points(group="harness.methods", name=method) if method else ():
        if entry.dist is not None:
            found.setdefault(entry.dist.name.lower(), entry.dist.version)
    return found


def _determinism() -> dict[str, Any]:
    """Torch's settings that may move the last bits."""
    import torch

    return {
        "warn_only": torch.is_deterministic_algorithms_warn_only_enabled(),
        "cudnn_benchmark": torch.backends.cudnn.benchmark,
        "cudnn_deterministic": torch.backends.cudnn.deterministic,
        "cublas_workspace": os.environ.get("CUBLAS_WORKSPACE_CONFIG", ""),
        "float32_products": _float32_products(),
    }


def _float32_products() -> str:
    """Torch's word for it; a description must not end a run whose training is over."""
    import torch

    try:
        return torch.get_float32_matmul_precision()
    except RuntimeError:
        # Set by torch's old words and by its new ones, which then contradict each other.
        return f"mixed: {torch.backends.cuda.matmul.fp32_precision} on a GPU"


def _gpu(device: str) -> dict[str, Any]:
    import torch

    about = torch.cuda.get_device_properties(device)
    return {
        "gpu": about.name,
        "gpus": torch.cuda.device_count(),
        "gpu_memory_mib": about.total_memory // 2**20,
        "cuda": torch.version.cuda,
        "cudnn": torch.backends.cudnn.version(),  # type: ignore[no-untyped-call]
        "driver": _driver(),
    }


def _driver() -> str:
    """The NVIDIA kernel driver's version, such as 550.54.15."""
    try:
        text = Path("/proc/driver/nvidia/version").read_text(encoding="utf-8")
    except OSError:
        return ""
    found = re.search(r"\b\d{3,}\.\d+(\.\d+)?\b", text)
    return found[0] if found else ""


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    named = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return f"{os.cpu_count()} x {named[0]}" if named else platform.processor()


def _memory_mib() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
