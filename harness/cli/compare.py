"""`harness compare`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from harness.base.errors import HarnessError
from harness.board.compare import Comparison, Pairing, as_json, compare
from harness.cli.compared_files import ScoredFiles, is_features_file
from harness.cli.named_runs import named_runs, opened
from harness.cli.output import emit, table
from harness.export import number
from harness.spec.plugins import load_plugins
from harness.store import Stored


def compare_command(
    runs: Sequence[str],
    dataset: str | None,
    protocol: str | None,
    out: Path,
    queries: int,
    plugin: Sequence[Path] | None,
    json_wanted: bool,
) -> None:
    """Print the first run, or features file, against each of the others."""
    sides = [[word for word in side.split(",") if word] for side in runs]
    every = [word for side in sides for word in side]
    files = [word for word in every if is_features_file(word)]
    _require_files(files, {"--dataset": dataset, "--protocol": protocol})
    known: dict[str, list[Stored]] = {}
    if len(files) < len(every):
        store = opened(out)
        known = {word: named_runs(word, store) for word in every if word not in files}
    plugins = load_plugins(plugin or [])
    if files:
        beside = [run.record for found in known.values() for run in found]
        scorer = ScoredFiles(dataset, protocol, beside, plugins)
        known |= {word: [scorer.run(Path(word))] for word in dict.fromkeys(files)}
    chosen = [[run for word in side for run in known[word]] for side in sides]
    found = compare(*chosen, queries=queries, infos=plugins.methods)
    if json_wanted:
        emit(as_json(found))
        return
    print(
        f"{found.dataset} · {found.protocol} "
        f"(data {found.data_hash[:8]}, protocol {found.protocol_hash[:8]})\n{found.model}"
    )
    for one in found.pairings:
        _print_pairing(one, found)


def _require_files(files: Sequence[str], words: dict[str, str | None]) -> None:
    given = [word for word, value in words.items() if value is not None]
    if given and not files:
        raise HarnessError(
            seen=f"{' and '.join(given)} with runs alone",
            expected="features files beside it: a run's record says its data set and protocol",
            do=f"leave out {' and '.join(given)}; harness evaluate --run ID --protocol NAME scores "
            "a run under another protocol",
        )


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
    won, tied, lost = one.identities
    print(f"By identity, B wins {won}, ties {tied} and loses {lost}.")
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
