"""Features of the three modalities as points, one t-SNE for all of a run's together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.base.errors import RecordError
from harness.evidence.features_file import Side, read_own
from harness.spec.modality import Modality, in_order
from harness.tables.cells import Cell
from harness.tables.records import Found
from harness.tables.table import Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

IDENTITIES = 6
"""As many as the paper's picture shows."""
_PERPLEXITY = 30.0
_MARKERS: dict[Modality, str] = {"RGB": "o", "NI": "^", "TI": "s"}
_INCHES = 2.6

Floats = NDArray[np.float32]


class Points(NamedTuple):
    """What one run shows: a point for each sample and modality."""

    places: Floats
    """(n, 2)"""
    pids: NDArray[np.int64]
    """(n,)"""
    modalities: NDArray[np.str_]
    """(n,)"""


def tsne_figure(table: Table) -> Figure:
    """A picture for each row that has a run; colour is identity, marker is modality.

    The runs of several seeds would be several pictures; the first seed's is drawn.

    Raises:
        RecordError: No row has a run, or a run's features are gone or mix the modalities.
    """
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    cells = [cell for cell in table.cells() if cell.found]
    if not cells:
        raise RecordError(
            seen=f"{table.name}: no row has a run here, and a picture of features needs one",
            expected="at least one run of this table",
            do="make them: the same command with --run",
        )
    shown = [_shown(cell) for cell in cells]
    figure = Figure(figsize=(_INCHES * len(cells) + 1.2, _INCHES + 0.5), layout="constrained")
    axes = figure.subplots(1, len(cells), squeeze=False)[0]
    for cell, (found, points), ax in zip(cells, shown, axes, strict=True):
        _draw(points, ax)
        dataset = found.record.dataset_label
        ax.set_title(f"{cell.row.label}\n{dataset}, seed {found.record.seed}", fontsize=9)
    seen = in_order({m for _, points in shown for m in _MARKERS if m in points.modalities})
    handles = [
        Line2D([], [], color="grey", marker=_MARKERS[m], linestyle="", label=m) for m in seen
    ]
    # Every row of a table is on the same data: the identities are the same ones.
    handles += [
        Line2D([], [], color=f"C{n}", marker=".", linestyle="", label=f"identity {pid}")
        for n, pid in enumerate(np.unique(shown[0][1].pids))
    ]
    figure.legend(handles=handles, loc="outside right center", frameon=False, fontsize=8)
    return figure


def _shown(cell: Cell) -> tuple[Found, Points]:
    found = cell.found[min(cell.found)]
    columns = found.record.cost.get("modality_columns") or {}
    if len(columns) < 2:
        raise RecordError(
            seen=f"{cell.row.label}: the descriptor of {found.record.method} has no columns of one "
            "modality alone",
            expected="a method whose class has modality_columns(), and one for each of two or more",
            do="leave the row out, or take a fusion that keeps the modalities apart",
        )
    path = found.path.parent / found.record.evidence["features"].file
    query, _ = read_own(path)
    return found, joint_points(query, columns)


def joint_points(side: Side, columns: Mapping[Modality, tuple[int, int]]) -> Points:
    """One t-SNE of every modality's features of a few identities.

    The identities are those with the most samples, the lower number first among equals.

    Args:
        side: Descriptors (n, d) and who is who.
        columns: Which columns, from and up to, come from one modality alone; all equally wide.

    Raises:
        RecordError: Modalities of different widths have no distance to each other.
    """
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    widths = {m: upto - first for m, (first, upto) in columns.items()}
    if len(set(widths.values())) != 1:
        raise RecordError(
            seen=f"the modalities' features have different widths: {widths}",
            expected="features of one width, so that modalities can be compared",
            do="draw a method whose streams are alike",
        )
    pids, counts = np.unique(side.labels.pids, return_counts=True)
    chosen = pids[np.lexsort((pids, -counts))][:IDENTITIES]
    rows = np.flatnonzero(np.isin(side.labels.pids, chosen))
    modalities = in_order(set(columns))
    features = np.concatenate(
        [side.features[rows, columns[m][0] : columns[m][1]] for m in modalities]
    )
    perplexity = min(_PERPLEXITY, (len(features) - 1) / 3)
    # Hundreds of points: more threads wait for each other, and sum in another order.
    with threadpool_limits(limits=1):
        joint = TSNE(perplexity=perplexity, init="pca", random_state=0).fit_transform(features)
    return Points(
        joint,
        np.tile(side.labels.pids[rows], len(modalities)),
        np.repeat(np.array(modalities, dtype=np.str_), len(rows)),
    )


def _draw(points: Points, ax: Axes) -> None:
    for number, pid in enumerate(np.unique(points.pids)):
        for modality, marker in _MARKERS.items():
            here = (points.pids == pid) & (points.modalities == modality)
            ax.scatter(
                points.places[here, 0],
                points.places[here, 1],
                s=16,
                color=f"C{number}",
                marker=marker,
                alpha=0.8,
                linewidths=0,
            )
    # Places on a t-SNE map have no unit.
    ax.set_xticks([])
    ax.set_yticks([])
