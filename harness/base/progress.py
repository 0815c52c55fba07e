"""What long work says while it goes on, always on standard error."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator

from harness.base.parallel import is_main

Advance = Callable[[int], None]
"""Called with how many more are done."""

# The first plain line comes after this long, the next after twice as long, and so on: short work
# says little, and the log of a long one stays readable.
_PLAIN_SECONDS = 5.0


def say(text: str) -> None:
    """One line for a person; standard output stays free for results.

    Of several processes that do one run, the main one speaks for all.
    """
    if is_main():
        print(text, file=sys.stderr, flush=True)


@contextlib.contextmanager
def progress(label: str, total: int, unit: str = "", summary: bool = True) -> Iterator[Advance]:
    """A bar on a terminal, plain lines elsewhere.

    Args:
        label: What is being done.
        total: How many there are.
        unit: What is counted, with a space before it.
        summary: End with a plain line; False where the caller says how it ended.
    """
    if is_main() and sys.stderr.isatty():
        started = time.monotonic()
        with _bar(label, total) as advance:
            yield advance
        if summary:
            say(f"{label}: {total}{unit} in {time.monotonic() - started:.1f} s")
        return
    started = last = time.monotonic()
    done, patience = 0, _PLAIN_SECONDS

    def advance_plain(count: int) -> None:
        nonlocal done, last, patience
        done += count
        now = time.monotonic()
        if now - last >= patience and done < total:
            last, patience = now, 2 * patience
            say(f"{label}: {done}/{total}{unit} after {now - started:.0f} s")

    yield advance_plain
    if summary:
        say(f"{label}: {done}/{total}{unit} in {time.monotonic() - started:.1f} s")


@contextlib.contextmanager
def _bar(label: str, total: int) -> Iterator[Advance]:
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task(label, total=total)
        yield lambda count: bars.advance(task, count)
