"""Pictures of tables, written as PNG, SVG or PDF; needs the extra `figures`."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

from harness.base.errors import HarnessError, PluginError
from harness.base.files import replacing
from harness.tables.table import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_KINDS = {".png": "png", ".svg": "svg", ".pdf": "pdf"}
_DPI = 160


def require_drawable(path: Path) -> None:
    """Refuse what cannot be drawn here, before any work.

    Raises:
        HarnessError: Another kind of file.
        PluginError: matplotlib is not installed; names the extra it comes with.
    """
    if path.suffix.lower() not in _KINDS:
        raise HarnessError(
            seen=f"--figure {path}",
            expected=f"a file that ends in {', '.join(_KINDS)}",
            do=f"--figure {path.stem or 'figure'}.png",
        )
    if importlib.util.find_spec("matplotlib") is None:
        raise PluginError(
            seen="figures are drawn with matplotlib, which is not installed",
            expected="the extra `figures`",
            do="pip install -e '.[figures]', in the folder of the harness",
        )


def draw(table: Table, path: Path) -> None:
    """Draw a table as its plan says, and write the file whole or not at all.

    Raises:
        RecordError: A t-SNE picture of runs that have no features for each modality.
    """
    if table.plan.figure == "tsne":
        from harness.tables.tsne import tsne_figure

        figure: Figure = tsne_figure(table)
    else:
        from harness.tables.bars import bar_figure

        figure = bar_figure(table)
    kind = _KINDS[path.suffix.lower()]
    # The date would make two pictures of the same numbers differ.
    undated = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(kind, {})
    with replacing(path) as temporary:
        figure.savefig(temporary, format=kind, dpi=_DPI, metadata=undated)
