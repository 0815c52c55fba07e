"""What long work says while it goes on, always on standard error."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator

Advance = Callable[[int], None]
"""Called with how many more are done."""

_PLAIN_SECONDS = 5.0


def say(text: str) -> None:
    """One line for a person; standard output stays free for results."""
    print(text, file=sys.stderr, flush=True)


@contextlib.contextmanager
def progress(label: str, total: int, unit: str = "") -> Iterator[Advance]:
    """A bar on a terminal, a plain line every few seconds elsewhere."""
    if sys.stderr.isatty():
        with _bar(label, total) as advance:
            yield advance
        return
    started = last = time.monotonic()
    done = 0

    def advance_plain(count: int) -> None:
        nonlocal done, last
        done += count
        now = time.monotonic()
        if now - last >= _PLAIN_SECONDS and done < total:
            last = now
            say(f"{label}: {done}/{total}{unit} after {now - started:.0f} s")

    yield advance_plain
    say(f"{label}: {done}/{total}{unit} in {time.monotonic() - started:.1f} s")


@contextlib.contextmanager
def _bar(label: str, total: int) -> Iterator[Advance]:
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True)) as bars:
        task = bars.add_task(label, total=total)
        yield lambda count: bars.advance(task, count)
