"""What to type for a run that is planned: shown to a person, or started by a sweep."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from harness.runs.plan import DEFAULT_OUT


def run_words(
    method: str,
    *,
    dataset: str | None,
    protocol: str,
    recipe: str | None,
    changes: Sequence[str],
    seeds: Sequence[int],
    out: Path,
    device: str,
    plugin: Sequence[Path],
) -> list[str]:
    """The words after `harness`; what is as it is without an option is left out."""
    words = ["run", "--method", method]
    words += [] if dataset is None else ["--dataset", dataset]
    words += ["--protocol", protocol]
    words += [] if recipe is None else ["--recipe", recipe]
    words += [w for change in changes for w in ("--set", change)]
    words += ["--seed" if len(seeds) == 1 else "--seeds", ",".join(map(str, seeds))]
    words += [] if out == DEFAULT_OUT else ["--out", str(out)]
    words += [] if device == "auto" else ["--device", device]
    return words + [w for path in plugin for w in ("--plugin", str(path))]
