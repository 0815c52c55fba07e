"""`harness run`."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness.base.errors import RecipeError
from harness.base.numbers import parse_seeds, require_seed
from harness.base.parallel import main_first
from harness.base.progress import say
from harness.cli.options import asked_store
from harness.cli.output import emit, metric_table, quoted, shown_path
from harness.data.variants import data_summary
from harness.evidence.record import METRICS, require_sweep_name
from harness.export import number
from harness.runs.plan import DEFAULT_OUT, DEFAULT_SEED, Plan, plan_run
from harness.runs.run import Finished, InFolderOnly, execute
from harness.spec.method import Claim
from harness.spec.plugins import load_plugins


def run_command(
    *,
    method: str,
    dataset: str | None,
    protocol: str | None,
    recipe: str | None,
    seed: int | None,
    seeds: str | None,
    changes: Sequence[str],
    out: Path,
    device: str,
    plugin: Sequence[Path] | None,
    as_json: bool,
    sweep: str | None = None,
    in_folder_only: bool = False,
) -> None:
    """Plan, say what will be done, run every seed, print what came out."""
    wanted = _seeds(seed, seeds)
    if sweep is not None:
        require_sweep_name(sweep)
    if dataset is None:
        say("no --dataset: using the embedded synthetic set; its numbers say nothing about people")
    plan = main_first(
        lambda: plan_run(
            method,
            dataset=dataset,
            protocol=protocol,
            recipe=recipe,
            changes=changes,
            out=out,
            device=device,
            plugins=load_plugins(plugin or []),
        )
    )
    announce(plan)
    store = InFolderOnly() if in_folder_only else None
    done = [execute(plan, s, store, sweep) for s in wanted]
    if as_json:
        emit(as_result(done[0]) if len(done) == 1 else _many(done))
        return
    for finished in done:
        _print_run(plan, finished, _words(dataset, recipe, plugin, out))
    if len(done) > 1:
        print(_spread_line(done))


def announce(plan: Plan) -> None:
    """The resolved recipe, its hash, and what linting found."""
    recipe = plan.resolved.recipe
    size = data_summary(plan.data)["counts"]
    say(f"method    {plan.info.name}  {plan.info.title}")
    say(
        f"data      {plan.data.label} in {plan.data.root}: {size['train']['samples']} train, "
        f"{size['query']['samples']} query, {size['gallery']['samples']} gallery samples"
    )
    for line in plan.data.pixels:
        say(f"pixels    {line}")
    say(f"protocol  {plan.protocol.name} v{plan.protocol.version} ({plan.protocol.hash[:12]})")
    say(f"recipe    {recipe.name} ({recipe.hash[:12]})")
    for key, value in _flat(recipe.dumped()).items():
        if key not in ("name", "source", "method", "dataset", "protocol"):
            say(f"            {key} = {value}")
    for finding in plan.findings:
        say(f"{finding.severity}: {finding.seen}\n  do this: {finding.do}")


def as_result(finished: Finished) -> dict[str, Any]:
    """The contract of `harness run --json`."""
    record = finished.record
    return {
        "run_id": record.run_id,
        "record": str(finished.path),
        "method": record.method,
        "dataset": record.dataset_label,
        "protocol": record.protocol_name,
        "protocol_hash": record.protocol_hash,
        "recipe": record.recipe["name"],
        "recipe_hash": record.recipe_hash,
        "data_hash": record.data_hash,
        "seed": record.seed,
        "selection": record.selection,
        "metrics": record.metrics,
        "intervals": {k: list(v) if v else None for k, v in record.intervals.items()},
        "chance": record.chance,
        "valid_queries": record.valid_queries,
        "queries": record.queries,
        "cached": finished.cached,
    }


def _seeds(seed: int | None, seeds: str | None) -> list[int]:
    if seeds is None:
        return [DEFAULT_SEED if seed is None else require_seed(seed)]
    if seed is not None:
        raise RecipeError(
            seen=f"--seeds {seeds} beside --seed {seed}",
            expected="different whole numbers with commas between, and no --seed beside them",
            do="--seeds 1,2,3",
        )
    return list(parse_seeds(seeds))


def _many(done: list[Finished]) -> dict[str, Any]:
    return {
        "runs": [as_result(f) for f in done],
        "mean": {m: statistics.fmean(f.record.metrics[m] for f in done) for m in METRICS},
        "sd": {m: statistics.stdev(f.record.metrics[m] for f in done) for m in METRICS},
    }


def _print_run(plan: Plan, finished: Finished, words: dict[str, str]) -> None:
    record = finished.record
    print(
        f"\n{record.method} on {record.dataset_label}, {record.protocol_name}, seed {record.seed}"
    )
    claim = claim_for(plan)
    metric_table(record.metrics, record.intervals, record.chance, claim)
    unmatched = record.queries - record.valid_queries
    print(
        f"{record.valid_queries} of {record.queries} queries are valid"
        + (f"; {unmatched} have no match and are not part of the mean" if unmatched else "")
        + f". Selection: {record.selection} epoch. Intervals resample identities."
    )
    if claim:
        print(f"paper: {claim.source}")
    elif plan.data.card.embedded:
        print("Drawn figures: these numbers show that the method works, not how well.")
    print(f"record: {shown_path(finished.path)}")
    print("next:")
    print(f"  harness show run {record.run_id}{words['out']}")
    print(f"  harness leaderboard{words['out']}")
    print(f"  harness run --method {record.method} --seeds 1,2,3{''.join(words.values())}")
    if plan.data.card.embedded:
        print(f"  harness run --method {record.method} --dataset FOLDER{words['plugin']}")


def claim_for(plan: Plan) -> Claim | None:
    """The paper's number for this very data set and protocol, if the method has one."""
    if not plan.data.is_published:
        return None
    here = (plan.data.card.name, plan.protocol.name)
    return next((c for c in plan.info.claims if (c.dataset, c.protocol) == here), None)


def _words(
    dataset: str | None, recipe: str | None, plugin: Sequence[Path] | None, out: Path
) -> dict[str, str]:
    """The options that the next commands need again, as they are typed."""
    given = {"dataset": [dataset], "recipe": [recipe], "plugin": plugin or []}
    given["out"] = [out] if out != DEFAULT_OUT else []
    words = {
        name: "".join(f" --{name} {quoted(str(v))}" for v in values if v)
        for name, values in given.items()
    }
    store = asked_store()
    if store is not None:
        words["out"] += f" --store {quoted(store)}"
    return words


def _spread_line(done: list[Finished]) -> str:
    found = _many(done)
    cells = [f"{m} {number(found['mean'][m])} ± {number(found['sd'][m])}" for m in METRICS]
    return f"over {len(done)} seeds (mean ± sd): " + ", ".join(cells)


def _flat(data: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in data.items():
        if isinstance(value, dict):
            found |= _flat(value, f"{prefix}{key}.")
        else:
            found[prefix + key] = value
    return found
