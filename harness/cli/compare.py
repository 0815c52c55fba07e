"""`harness compare`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from harness.board.compare import Comparison, Pairing, as_json, compare
from harness.cli.named_runs import named_runs
from harness.cli.output import emit, table
from harness.export import number
from harness.spec.plugins import load_plugins
from harness.store import open_store


def compare_command(runs: Sequence[str], out: Path, queries: int, json_wanted: bool) -> None:
    """Print the first run against each of the others."""
    store = open_store(out)
    sides = [named_runs(word, store) for word in runs]
    found = compare(*sides, queries=queries, infos=load_plugins().methods)
    if json_wanted:
        emit(as_json(found))
        return
    print(
        f"{found.dataset} · {found.protocol} "
        f"(data {found.data_hash[:8]}, protocol {found.protocol_hash[:8]})\n{found.model}"
    )
    for one in found.pairings:
        _print_pairing(one, found)


def _print_pairing(one: Pairing, found: Comparison) -> None:
    several = len(found.pairings) > 1
    columns = ["", "A", "B", "B less A", "95 % interval", "p"] + (["p (Holm)"] if several else [])
    rows = []
    for line in one.lines:
        low, high = line.paired.interval
        row = [
            line.metric,
            number(line.a),
            number(line.b),
            f"{line.paired.difference:+.2f}",
            f"{low:+.2f} to {high:+.2f}",
            f"{line.paired.p:.4f}",
        ]
        rows.append([*row, f"{line.p_corrected:.4f}"] if several else row)
    print(f"\nA: {one.a}\nB: {one.b}")
    table(columns, rows)
    print(one.verdict)
    if one.queries:
        rows = [
            [
                q.name,
                number(q.ap_a),
                number(q.ap_b),
                f"{q.ap_b - q.ap_a:+.2f}",
                f"{q.first_rank_a:.3g}",
                f"{q.first_rank_b:.3g}",
            ]
            for q in one.queries
        ]
        print("\nqueries on which they differ most:")
        table(["query", "AP in A", "AP in B", "B less A", "first rank A", "first rank B"], rows)
