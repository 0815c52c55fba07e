"""How soon the command line answers, as whole processes, beside Python's own start."""

from __future__ import annotations

import subprocess
import sys

from harness.bench import Asked, Goal, Row, Spread, interleaved, run_script, timed

COMMANDS = {
    "harness --help": (("--help",), Goal("value", 0.3)),
    "harness list methods": (("list", "methods"), Goal("value", 0.6)),
    "harness show method ieee": (("show", "method", "ieee"), None),
}


def rows(asked: Asked) -> list[Row]:
    """One for each command; the floor is an interpreter that does nothing."""
    commands = [["-c", ""], *(["-m", "harness.cli", *words] for words, _ in COMMANDS.values())]
    tasks = [timed(lambda words=words: _answered(words)) for words in commands]  # type: ignore[misc]
    for task in tasks:
        task()
    idle, *times = interleaved(asked.repeats, *tasks)
    floor = Spread.of(idle).median
    return [
        Row(f"`{name}`", Spread.of(found), goal=goal, floor=floor)
        for (name, (_, goal)), found in zip(COMMANDS.items(), times, strict=True)
    ]


def _answered(words: list[str]) -> None:
    subprocess.run([sys.executable, *words], capture_output=True, check=True)


if __name__ == "__main__":
    run_script(__file__, rows, repeats=9)
