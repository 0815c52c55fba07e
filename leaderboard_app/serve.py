"""Streamlit with the page, and with what it imports read before the first visitor comes."""

from __future__ import annotations

import sys
import threading
from importlib import import_module
from pathlib import Path

# Read while the browser is still starting: the first table would wait half a second for them.
# None of our own pages: what they cache must be made within Streamlit's runtime.
_AHEAD = ("pandas", "pyarrow", "altair", "harness.board", "harness.claims", "harness.spec.plugins")

# A second of reading that only the t-SNE needs: done once the first visitor has a table to look at.
_LATER, _LATER_SECONDS = "sklearn.manifold", 5.0


def main() -> None:
    """Serve the page: `python -m leaderboard_app.serve [Streamlit's options] -- [ours]`."""
    for name in _AHEAD:
        import_module(name)
    later = threading.Timer(_LATER_SECONDS, import_module, [_LATER])
    later.daemon = True
    later.start()
    from streamlit.web.cli import main as streamlit

    sys.argv = ["streamlit", "run", str(Path(__file__).with_name("app.py")), *sys.argv[1:]]
    streamlit()


if __name__ == "__main__":
    main()
