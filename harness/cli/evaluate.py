"""`harness evaluate`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.cli.output import emit, metric_table
from harness.data.lint import lint, stop_on_errors
from harness.data.open import OpenDataset, open_dataset
from harness.distances import squared_euclidean
from harness.errors import CheckpointError, HarnessError
from harness.evaluation import Evaluation, evaluate, evaluate_distances
from harness.features_file import Side, read_features
from harness.plugins import Plugins, load_plugins
from harness.progress import say
from harness.protocol import BoundProtocol
from harness.rerank import k_reciprocal
from harness.run import plan_run

if TYPE_CHECKING:
    from harness.run import Plan


def evaluate_command(
    dataset: str | None,
    protocol: str | None,
    features: Path | None,
    checkpoint: Path | None,
    method: str | None,
    recipe: str | None,
    classes: int | None,
    rerank: bool,
    changes: Sequence[str],
    device: str,
    plugin: Sequence[Path] | None,
    as_json: bool,
) -> None:
    """Find the descriptors, score them, print what came out."""
    if (features is None) == (checkpoint is None):
        raise HarnessError(
            seen="both --features and --checkpoint" if features else "nothing to evaluate",
            expected="one of --features FILE and --checkpoint FILE",
            do="harness evaluate --features FILE --dataset NAME_OR_FOLDER",
        )
    known = load_plugins(plugin or [])
    if features is not None:
        data, bound, query, gallery = _from_features(features, dataset, protocol, known)
    else:
        assert checkpoint is not None  # one of the two is there, checked above
        plan = _checkpoint_plan(
            checkpoint, dataset, protocol, method, recipe, changes, device, known
        )
        data, bound = plan.data, plan.protocol
        query, gallery = _from_checkpoint(checkpoint, plan, classes)
    found = evaluate(query, gallery, bound)
    again = _reranked(query, gallery, bound) if rerank else None
    result = _as_result(found, data, bound, features or checkpoint)
    if again is not None:
        result["reranked"] = {"metrics": again.metrics, "k1": 20, "k2": 6, "lambda": 0.3}
    if as_json:
        emit(result)
    else:
        _print(result, found, again)


def _from_features(
    path: Path, dataset: str | None, protocol: str | None, known: Plugins
) -> tuple[OpenDataset, BoundProtocol, Side, Side]:
    data = open_dataset(dataset, known)
    bound = known.protocol(protocol or data.card.protocol).bind(data.card)
    stop_on_errors([f for f in lint(data, bound) if f.rule != "identity-leak"])
    query, gallery = read_features(
        path,
        data.samples(bound.query_split),
        data.samples(bound.gallery_split),
        bound.query_modalities,
        bound.gallery_modalities,
    )
    return data, bound, query, gallery


def _checkpoint_plan(
    path: Path,
    dataset: str | None,
    protocol: str | None,
    method: str | None,
    recipe: str | None,
    changes: Sequence[str],
    device: str,
    known: Plugins,
) -> Plan:
    from harness.training.weights import read_about

    said = read_about(path).get("recipe", {})
    name = method or said.get("method")
    if name is None:
        raise CheckpointError(
            seen=f"{path} does not say which method it is of",
            expected="a weights file of ours, or --method",
            do="--method NAME; see: harness list methods",
        )
    if said and recipe is None and not changes:
        # The file's own recipe decides the input size and the method's options.
        changes = _changes_of(said)
        recipe = recipe or "common"
    return plan_run(
        str(name),
        dataset=dataset,
        protocol=protocol,
        recipe=recipe,
        changes=changes,
        device=device,
        plugins=known,
    )


def _changes_of(recipe: dict[str, Any]) -> list[str]:
    import json

    size = [f"input.{k}={json.dumps(v)}" for k, v in recipe.get("input", {}).items()]
    return size + [f"config.{k}={json.dumps(v)}" for k, v in recipe.get("config", {}).items()]


def _from_checkpoint(path: Path, plan: Plan, classes: int | None) -> tuple[Side, Side]:
    from harness.pipeline import both_sides, choose_device, open_workshop
    from harness.training.checkpoint import load_into, read_weights

    state, about = read_weights(path)
    shop = open_workshop(plan, choose_device(plan.device))
    translate = getattr(shop.method, "import_state", None)
    state = translate(state) if translate else state
    shop.model = shop.build("none", classes or about.get("classes"))
    load_into(shop.model, state, path.name)
    query, gallery = both_sides(shop, path)
    return query, gallery or query


def _reranked(query: Side, gallery: Side, bound: BoundProtocol) -> Evaluation:
    say("re-ranking with plain distances; the authors' code squares them a second time")
    q, g = query.features, gallery.features
    distances = k_reciprocal(
        squared_euclidean(q, g) ** 0.5,
        squared_euclidean(q, q) ** 0.5,
        squared_euclidean(g, g) ** 0.5,
    )
    return evaluate_distances(distances, query, gallery, bound)


def _as_result(
    found: Evaluation, data: OpenDataset, bound: BoundProtocol, source: Path | None
) -> dict[str, Any]:
    return {
        "source": str(source),
        "dataset": data.label,
        "data_hash": data.data_hash,
        "protocol": bound.name,
        "protocol_hash": bound.hash,
        "metrics": found.metrics,
        "intervals": {k: list(v) if v else None for k, v in found.intervals.items()},
        "chance": found.chance,
        "valid_queries": found.valid_queries,
        "queries": found.queries,
    }


def _print(result: dict[str, Any], found: Evaluation, again: Evaluation | None) -> None:
    print(f"\n{result['source']} on {result['dataset']}, {result['protocol']}")
    metric_table(found.metrics, found.intervals, found.chance)
    print(f"{found.valid_queries} of {found.queries} queries are valid.")
    if again is not None:
        print("after k-reciprocal re-ranking (k1 20, k2 6, lambda 0.3):")
        metric_table(again.metrics, again.intervals, again.chance)
