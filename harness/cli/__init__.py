"""The command `harness`: results go to standard output, everything else to standard error."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

from harness.base import parallel
from harness.base.errors import HarnessError, Stopped
from harness.base.files import disk_full, house_libraries, is_no_space
from harness.base.progress import say

# What a shell says of a command that Ctrl-C ended.
_STOPPED = 130


def main() -> None:
    """Run the command line and turn every error into three lines and an exit code.

    A person's mistake ends with 2, ours with 1; `--debug` anywhere shows the traceback.
    """
    words = [w for w in sys.argv[1:] if w != "--debug"]
    debug = len(words) < len(sys.argv) - 1
    _open_what_was_closed()
    _escape_what_cannot_be_shown()
    try:
        _call(words)
    except (HarnessError, OSError) as error:
        speaks = parallel.first_to_fail()
        # A reader that closed the pipe early, such as head, has seen enough.
        if isinstance(error, BrokenPipeError):
            sys.exit(1)
        if debug:
            raise
        named = error if isinstance(error, HarnessError) else _of_the_system(error)
        if not speaks:
            sys.exit(named.exit_code)
        _report(named, as_json="--json" in words)
        sys.exit(named.exit_code)
    except Stopped as stop:
        parallel.first_to_fail()
        say(f"{stop}; the same command goes on from there")
        sys.exit(stop.exit_code)
    except KeyboardInterrupt:
        say("stopped; the same command goes on from here")
        sys.exit(_STOPPED)
    except Exception as error:
        speaks = parallel.first_to_fail()
        if debug:
            raise
        if not speaks:
            sys.exit(1)
        print(f"harness failed: {type(error).__name__}: {error}", file=sys.stderr)
        print("  this is our mistake; run again with --debug and report it", file=sys.stderr)
        sys.exit(1)


def _call(words: list[str]) -> None:
    from harness.cli.app import app

    house_libraries()
    parallel.join(words)
    try:
        with parallel.quiet():
            app(words, prog_name="harness")
    except SystemExit as error:
        # What typer makes of Ctrl-C, without a word.
        if error.code == _STOPPED:
            raise KeyboardInterrupt from None
        raise


def _of_the_system(error: OSError) -> HarnessError:
    """A file that cannot be read or written, in the form of every other error."""
    place = Path(str(error.filename or "."))
    if is_no_space(error):
        return disk_full(place)
    return HarnessError(
        seen=f"{place}: {error.strerror or error}",
        expected="files and folders that this user may read and write",
        do="check the path and its rights, or name another place with --out (runs), $HARNESS_CACHE "
        "(what can be made again) or $HARNESS_CLAIMS (your own claims)",
    )


def _report(error: HarnessError, as_json: bool) -> None:
    if as_json:
        from harness.cli.output import emit

        emit({"error": error.as_dict()})
    print(f"error: {error}", file=sys.stderr)


def _open_what_was_closed() -> None:
    """Let a stream that the caller closed, as `>&-` does, take every word and keep none.

    In their order, so that each gets its own number and no file that is opened later does.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            # It is the process's, to its end.
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115


def _escape_what_cannot_be_shown() -> None:
    """Let a letter that the terminal or pipe cannot take be escaped instead of ending the command.

    Python does so for standard error; a word of the environment that asks for more stays.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors in ("strict", "surrogateescape"):
            stream.reconfigure(errors="backslashreplace")
