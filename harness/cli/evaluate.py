"""`harness evaluate`: a trained model or a features file, under one protocol or many."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from harness.base.accelerator import named
from harness.base.errors import (
    DiskFullError,
    FeaturesError,
    HarnessError,
    ProtocolError,
    ScoringError,
    StoreError,
)
from harness.base.hashing import file_digest
from harness.base.progress import say
from harness.cli.asked import Asked, asked_for, groups_of
from harness.cli.output import emit, metric_table, shown_path, table
from harness.cli.sources import FeaturesSource, ModelSource
from harness.cli.trained import from_checkpoint, from_run
from harness.data.open import open_dataset
from harness.evidence.evaluations import keep
from harness.evidence.features_file import Side
from harness.evidence.record import METRICS
from harness.export import interval, number
from harness.runs.evaluation import Evaluation, evaluate, evaluate_reranked, per_query
from harness.spec.plugins import Plugins, load_plugins
from harness.spec.protocol import BoundProtocol
from harness.verify.asked import asked_run


class Scored(NamedTuple):
    """One protocol's outcome, for programs and for people."""

    result: dict[str, Any]
    found: Evaluation
    again: Evaluation | None
    """After re-ranking, if that was asked for."""
    outcome: dict[str, Any]
    """Each query's, as a record has it."""


class Skipped(NamedTuple):
    """A protocol that cannot be scored here, and why."""

    protocol: str
    error: HarnessError


def evaluate_command(
    *,
    dataset: str | None,
    protocols: Sequence[str],
    features: Path | None,
    checkpoint: Path | None,
    run: str | None,
    method: str | None,
    recipe: str | None,
    classes: int | None,
    rerank: bool,
    changes: Sequence[str],
    out: Path,
    device: str,
    plugin: Sequence[Path] | None,
    as_json: bool,
) -> None:
    """Find the descriptors, score them under every protocol, print what came out."""
    _require_one(features, checkpoint, run)
    known = load_plugins(plugin or [])
    asked = asked_for(protocols, known)
    source: ModelSource | FeaturesSource
    if features is not None:
        source = FeaturesSource(features, open_dataset(dataset, known), asked.alone)
    elif checkpoint is not None:
        given = (method, recipe, classes, changes)
        source = from_checkpoint(checkpoint, dataset, asked.protocols, *given, device, known)
    else:
        _require_nothing_else({"--method": method, "--recipe": recipe, "--classes": classes})
        source, record = from_run(str(run), out, dataset, device, known)
        if not protocols:
            asked = asked_for([record.protocol_name], known)
    if not asked.protocols:
        asked = asked_for([source.data.card.protocol], known)
    if isinstance(source, FeaturesSource):
        source.alone = asked.alone
    scored, skipped = _score_all(source, asked, rerank, _scoring_device(source, device))
    if run is not None and isinstance(source, ModelSource):
        _keep(source, scored, out)
    if asked.alone:
        _report_one(scored[0], as_json)
    else:
        _report_many(source, scored, skipped, known, as_json)


def _keep(source: ModelSource, scored: Sequence[Scored], out: Path) -> None:
    """Keep what a run scored beside its record, and let readers of its store know."""
    folder = source.weights.parent
    results = ({**s.result, "per_query": s.outcome} for s in scored)
    try:
        path = keep(folder, file_digest(source.weights), results)
        stored = asked_run(str(folder), out).kept
        if stored is not None:
            stored.store.touch()
    except (OSError, DiskFullError, StoreError) as error:
        # The numbers are there, and shown, all the same.
        say(f"not kept beside the run: {error}")
        return
    say(f"kept in {shown_path(path)}: rows of these protocols' tables of the leaderboard")


def _require_one(features: Path | None, checkpoint: Path | None, run: str | None) -> None:
    words = {"--features FILE": features, "--checkpoint FILE": checkpoint, "--run ID": run}
    given = [word for word, value in words.items() if value is not None]
    if len(given) != 1:
        raise HarnessError(
            seen=" and ".join(given) or "nothing to evaluate",
            expected="one of --run ID_OR_FOLDER, --features FILE and --checkpoint FILE",
            do="harness evaluate --features FILE --dataset NAME_OR_FOLDER",
        )


def _require_nothing_else(words: dict[str, Any]) -> None:
    given = [word for word, value in words.items() if value is not None]
    if given:
        raise HarnessError(
            seen=f"--run together with {', '.join(given)}",
            expected="--run alone: its record says method and recipe",
            do=f"leave out {', '.join(given)}, or give --checkpoint FILE",
        )


def _score_all(
    source: ModelSource | FeaturesSource, asked: Asked, rerank: bool, device: str | None
) -> tuple[list[Scored], list[Skipped]]:
    """Every protocol that applies; those that do not, with the reason.

    Args:
        source: Of the descriptors.
        asked: The protocols.
        rerank: Whether to score re-ranking, too.
        device: Of torch, where both are done; None is NumPy.

    Raises:
        HarnessError: The only protocol asked for does not apply, or none does.
    """
    scored: list[Scored] = []
    skipped: list[Skipped] = []
    for number_, protocol in enumerate(asked.protocols, start=1):
        try:
            bound = source.settle(protocol)
            if not asked.alone:
                say(f"{number_}/{len(asked.protocols)} {bound.name}")
            query, gallery = source.sides(bound)
            found = evaluate(query, gallery, bound, device)
            _warn_of_ties(bound, found)
            again = _reranked(query, gallery, bound, device) if rerank else None
        except (ProtocolError, FeaturesError, ScoringError) as error:
            if asked.alone:
                raise
            skipped.append(Skipped(protocol.name, error))
            continue
        result = _as_result(source, bound, found, again) | {"scored_on": device or "cpu"}
        scored.append(Scored(result, found, again, per_query(found, query)))
    if not scored:
        raise skipped[0].error
    return scored, skipped


def _scoring_device(source: ModelSource | FeaturesSource, device: str) -> str | None:
    """The accelerator that descriptors are scored on, if there is one and it is meant."""
    if isinstance(source, FeaturesSource) and device in ("auto", "cpu"):
        # For a file a GPU only if it is named: looking for one takes the seconds torch takes.
        return None
    from harness.training.device import choose_device

    return named(choose_device(device))


def _warn_of_ties(bound: BoundProtocol, found: Evaluation) -> None:
    if found.tied_queries:
        say(f"warning: {bound.name}: {found.tie_warning()}")


def _reranked(query: Side, gallery: Side, bound: BoundProtocol, device: str | None) -> Evaluation:
    say("re-ranking with plain distances; the authors' code squares them a second time")
    return evaluate_reranked(query, gallery, bound, device)


def _as_result(
    source: ModelSource | FeaturesSource,
    bound: BoundProtocol,
    found: Evaluation,
    again: Evaluation | None,
) -> dict[str, Any]:
    result = {
        "source": source.name,
        **source.about,
        "dataset": source.data.label,
        "data_hash": source.data.data_hash,
        "pictures_hash": source.data.pictures_hash,
        "protocol": bound.name,
        "protocol_hash": bound.hash,
        "metrics": found.metrics,
        "intervals": {k: list(v) if v else None for k, v in found.intervals.items()},
        "chance": found.chance,
        "valid_queries": found.valid_queries,
        "queries": found.queries,
        "tied_queries": found.tied_queries,
    }
    if again is not None:
        result["reranked"] = {"metrics": again.metrics, "k1": 20, "k2": 6, "lambda": 0.3}
    return result


def _means(scored: Sequence[Scored], known: Plugins) -> dict[str, dict[str, float]]:
    """The mean over each group whose every member was scored, as the papers' last column."""
    by_name = {s.result["protocol"]: s.result["metrics"] for s in scored}
    groups = {g: [p.name for p in members] for g, members in groups_of(known).items()}
    return {
        group: {m: statistics.fmean(by_name[n][m] for n in names) for m in METRICS}
        for group, names in groups.items()
        if len(names) > 1 and set(names) <= set(by_name)
    }


def _report_one(scored: Scored, as_json: bool) -> None:
    result, found, again, _ = scored
    if as_json:
        emit(result)
        return
    print(f"\n{result['source']} on {result['dataset']}, {result['protocol']}")
    _print_recipe(result)
    metric_table(found.metrics, found.intervals, found.chance)
    print(f"{found.valid_queries} of {found.queries} queries are valid.")
    if again is not None:
        print("after k-reciprocal re-ranking (k1 20, k2 6, lambda 0.3):")
        metric_table(again.metrics, again.intervals, again.chance)


def _print_recipe(about: dict[str, Any]) -> None:
    if "recipe" in about:
        size = about["input"]
        made = f"recipe {about['recipe']}, images of {size['height']}x{size['width']}"
        print(f"{made}, taken from {about['recipe_from']}")


def _report_many(
    source: ModelSource | FeaturesSource,
    scored: Sequence[Scored],
    skipped: Sequence[Skipped],
    known: Plugins,
    as_json: bool,
) -> None:
    means = _means(scored, known)
    if as_json:
        reasons = [{"protocol": s.protocol, "reason": s.error.seen} for s in skipped]
        emit({"results": [s.result for s in scored], "skipped": reasons, "means": means})
        return
    print(f"\n{source.name} on {source.data.label}")
    _print_recipe(source.about)
    rows = [_row(s) for s in scored]
    for group, mean in means.items():
        rows.append([f"mean of {group}", number(mean["mAP"]), "", number(mean["R1"]), "", "", ""])
    reranked = any(s.again for s in scored)
    columns = ["protocol", "mAP", "95 % interval", "Rank-1", "chance mAP", "valid queries"]
    columns.append("re-ranked mAP")
    kept = len(columns) if reranked else len(columns) - 1
    table(columns[:kept], [row[:kept] for row in rows])
    if source.about:
        print(f"what the method does with an absent modality: {source.about['missing_policy']}")
    for protocol, error in skipped:
        print(f"skipped {protocol}: {error.seen}")


def _row(scored: Scored) -> list[str]:
    found = scored.found
    return [
        scored.result["protocol"],
        number(found.metrics["mAP"]),
        interval(found.intervals["mAP"]),
        number(found.metrics["R1"]),
        number(found.chance["mAP"]),
        f"{found.valid_queries} of {found.queries}",
        number(scored.again.metrics["mAP"]) if scored.again else "",
    ]
