"""The command `harness`: results go to standard output, everything else to standard error."""

from __future__ import annotations

import json
import sys

from harness.errors import HarnessError


def main() -> None:
    """Run the command line and turn every error into three lines and an exit code.

    A person's mistake ends with 2, ours with 1; `--debug` anywhere shows the traceback.
    """
    words = [w for w in sys.argv[1:] if w != "--debug"]
    debug = len(words) < len(sys.argv) - 1
    from harness.cli.app import app

    try:
        app(words, prog_name="harness")
    except HarnessError as error:
        if debug:
            raise
        _report(error, as_json="--json" in words)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        print("stopped; the same command goes on from here", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(1)
    except Exception as error:
        if debug:
            raise
        print(f"harness failed: {type(error).__name__}: {error}", file=sys.stderr)
        print("  this is our mistake; run again with --debug and report it", file=sys.stderr)
        sys.exit(1)


def _report(error: HarnessError, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"error": error.as_dict()}, ensure_ascii=False))
    print(f"error: {error}", file=sys.stderr)
