"""Streamlit with the page, and with what it imports read before the first visitor comes."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

# Read while the browser is still starting: the first table would wait half a second for them.
# None of our own pages: what they cache must be made within Streamlit's runtime.
_AHEAD = ("pandas", "pyarrow", "altair", "harness.board", "harness.claims", "harness.plugins")


def main() -> None:
    """Serve the page: `python -m leaderboard_app.serve [Streamlit's options] -- [ours]`."""
    for name in _AHEAD:
        import_module(name)
    from streamlit.web.cli import main as streamlit

    sys.argv = ["streamlit", "run", str(Path(__file__).with_name("app.py")), *sys.argv[1:]]
    streamlit()


if __name__ == "__main__":
    main()
