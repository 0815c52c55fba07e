"""The commands that go on from this one, with the options that they need again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.cli.options import asked_store
from harness.cli.output import quoted
from harness.runs.plan import DEFAULT_OUT


def option_words(given: Mapping[str, Sequence[Any]]) -> str:
    """Options as they are typed, each with a space before it; a None says nothing."""
    return "".join(
        f" --{name} {quoted(str(value))}"
        for name, values in given.items()
        for value in values
        if value is not None
    )


def place_words(out: Path) -> str:
    """The --out and --store of this command."""
    return option_words({"out": [] if out == DEFAULT_OUT else [out], "store": [asked_store()]})


def print_next(*commands: str) -> None:
    """The commands, by their words after `harness`, a line for each."""
    print("next:")
    for words in commands:
        print(f"  harness {words}")
