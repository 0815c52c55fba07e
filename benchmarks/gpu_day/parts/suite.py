"""The project's tests: those that need a GPU, then those of training and scoring as they are."""

from __future__ import annotations

import re
import sys
import time
from typing import Any

from benchmarks.gpu_day.parts.common import TINY, WORK, finished, require, step, tell

NAME = "suite"
PLACES = (
    ("tests/harness/training/test_pixels.py", "tests/harness/scoring/test_score_features.py")
    if TINY
    else (
        "tests/harness/training",
        "tests/harness/scoring",
        "tests/harness/rerank",
        "tests/harness/conformance",
        "tests/harness/evidence",
        "tests/ieee",
    )
)
"""On such a machine `auto` is the GPU, so this is more than a second run of CI."""


def pytest(*words: str, seconds: float) -> dict[str, Any]:
    """A call of pytest: its code, its last line, and which tests passed, failed or skipped."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-rA", *words]
    started = time.time()
    code, text = finished(command, seconds, WORK / "log" / f"{time.time_ns()}.txt")
    last = [line for line in text.splitlines() if re.search(r"\d+ (passed|failed|skipped)", line)]
    bad = re.findall(r"^(?:FAILED|ERROR) .*$", text, re.M)
    return {
        "code": code,
        "seconds": round(time.time() - started, 1),
        "last": last[-1:] or text[-400:],
        "bad": bad[:40],
        "passed": re.findall(r"^PASSED (.*)$", text, re.M)[:60],
        "skipped": re.findall(r"^SKIPPED (.*)$", text, re.M)[:20],
        "text": text[-6000:] if bad or code not in (0, 5) else "",
    }


def main() -> None:
    """Tests marked `gpu` first."""
    with step(NAME, "gpu") as value:
        value.update(pytest("-m", "gpu", "tests", seconds=120))
        tell(f"tests marked gpu: {value['last']} {value['bad']}", value["text"][-1500:])
    with step(NAME, "training and scoring") as value:
        require(60)
        value.update(pytest(*PLACES, "-n", "2" if TINY else "8", seconds=110))
        value["passed"] = len(value["passed"])
        tell(f"tests of training and scoring: {value['last']}", *value["bad"])


if __name__ == "__main__":
    main()
