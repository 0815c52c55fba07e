"""A table as grouped bars: claims hatched beside ours, one group for each metric."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from harness.tables.cells import Cell
from harness.tables.table import Panel, Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_HEIGHT = 3.4
_LEAST_WIDTH = 3.6
_PANELS_BESIDE = 3
_INCHES_PER_BAR = 0.17
_GAP = 2.0
"""Between two groups, in bars."""
_CLAIM_ALPHA = 0.35


class _Bar(NamedTuple):
    """A bar within a group; `claimed` ones are hatched."""

    cell: Cell
    claimed: bool
    colour: str


def bar_figure(table: Table) -> Figure:
    """Every panel that has a number, a few beside each other; without any, an empty one."""
    from matplotlib.figure import Figure

    panels = [panel for panel in table.panels if _bars(table, panel)] or [table.panels[0]]
    beside = min(len(panels), _PANELS_BESIDE)
    rows = -(-len(panels) // beside)
    most = max(len(_bars(table, panel)) for panel in panels) + _GAP
    width = max(_LEAST_WIDTH, _INCHES_PER_BAR * len(table.plan.metrics) * most)
    # The legend stands to the right of the panels.
    figure = Figure(figsize=(width * beside + 2.4, _HEIGHT * rows), layout="constrained")
    axes = figure.subplots(rows, beside, squeeze=False).flatten()
    for panel, ax in zip(panels, axes, strict=False):
        _draw(table, panel, ax)
    for ax in axes[len(panels) :]:
        ax.set_visible(False)
    handles = {
        label: handle
        for ax in axes
        for handle, label in zip(*ax.get_legend_handles_labels(), strict=True)
    }
    figure.legend(
        handles.values(), handles.keys(), loc="outside right upper", frameon=False, fontsize=8
    )
    return figure


def _bars(table: Table, panel: Panel) -> list[_Bar]:
    """The bars of each group, from left to right: a row's claim, then ours."""
    colours = {row.label: f"C{n % 10}" for n, row in enumerate(table.plan.rows)}
    found = []
    for cell in panel.cells:
        if panel.claim(cell) is not None:
            found.append(_Bar(cell, True, colours[cell.row.label]))
        if cell.found:
            found.append(_Bar(cell, False, colours[cell.row.label]))
    return found


def _draw(table: Table, panel: Panel, ax: Axes) -> None:
    bars, metrics = _bars(table, panel), table.plan.metrics
    stride = len(bars) + _GAP
    for place, bar in enumerate(bars):
        heights, spreads = _values(table, panel, bar)
        ax.bar(
            [group * stride + place for group in range(len(metrics))],
            heights,
            width=0.9,
            yerr=spreads,
            capsize=2,
            color=bar.colour,
            alpha=_CLAIM_ALPHA if bar.claimed else 1.0,
            hatch="////" if bar.claimed else None,
            edgecolor=bar.colour if bar.claimed else None,
            label=_label(panel, bar),
        )
    for group, metric in enumerate(metrics):
        if panel.here is not None:
            left = group * stride - 0.6
            level = panel.here.chance[metric]
            right = left + len(bars) + 0.2
            ax.hlines(level, left, right, colors="black", linewidth=1, label="chance, ours")
    ax.set_xticks([group * stride + (len(bars) - 1) / 2 for group in range(len(metrics))], metrics)
    ax.set_ylabel("%")
    ax.set_ylim(bottom=0)
    ax.spines[["top", "right"]].set_visible(False)
    ax.set_title(_title(panel), fontsize=9, loc="left")


def _values(table: Table, panel: Panel, bar: _Bar) -> tuple[list[float], list[float] | None]:
    """The heights, and the spreads over seeds where there are several."""
    if bar.claimed:
        return [panel.claimed(bar.cell, m) or 0.0 for m in table.plan.metrics], None
    means = [m for name in table.plan.metrics if (m := panel.ours(bar.cell, name)) is not None]
    spreads = [m.sd for m in means if m.sd is not None]
    return [m.value for m in means], spreads if len(spreads) == len(means) else None


def _label(panel: Panel, bar: _Bar) -> str:
    claim = panel.claim(bar.cell)
    if not bar.claimed:
        return bar.cell.row.label
    estimated = claim is not None and claim.estimated
    return f"{bar.cell.row.label}, claimed" + (" (estimated)" if estimated else "")


def _title(panel: Panel) -> str:
    column = panel.column
    name = column.title or column.name
    if panel.here is None or panel.comparable:
        return name
    return f"claimed: {name}\nours: {panel.here.ground.data.label}"
