"""`harness run`."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.base.errors import RecipeError
from harness.base.numbers import parse_seeds, require_seed
from harness.base.parallel import main_first
from harness.base.progress import say
from harness.cli.again import option_words, place_words, print_next
from harness.cli.output import emit, metric_table, quoted, shown_path
from harness.data.variants import data_summary
from harness.evidence.record import METRICS, require_sweep_name
from harness.export import number
from harness.runs.plan import DEFAULT_SEED, Plan, plan_run
from harness.runs.run import Finished, InFolderOnly, execute
from harness.spec.changes import as_computed
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
        _print_run(plan, finished)
    if len(done) > 1:
        print(_spread_line(done))
    given = {
        "dataset": [dataset],
        "protocol": [protocol],
        "recipe": [recipe],
        "set": changes,
        "device": [device] if device != "auto" else [],
        "plugin": plugin or [],
    }
    _print_next(plan, done, given, out)


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
    for key, value in as_computed(recipe.dumped()).items():
        if key not in ("name", "method", "dataset", "protocol"):
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


def _print_run(plan: Plan, finished: Finished) -> None:
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


def _print_next(
    plan: Plan, done: Sequence[Finished], given: Mapping[str, Sequence[Any]], out: Path
) -> None:
    """Commands that go on from here, as they can be typed: with every option of this one."""
    run_id, method, place = done[0].record.run_id, quoted(plan.info.name), place_words(out)
    embedded = plan.data.card.embedded
    here = option_words({k: v for k, v in given.items() if k in ("dataset", "device", "plugin")})
    lines = [f"show run {run_id}{place}", f"leaderboard{place}"]
    if len(done) == 1:
        lines.append(f"run --method {method} --seeds 1,2,3{option_words(given)}{place}")
    else:
        lines.append(f"verify {run_id}{option_words({'dataset': given['dataset']})}{place}")
    if plan.info.missing != "none":
        lines.append(f"evaluate --run {run_id} --protocol missing{here}{place}")
    if embedded:
        # The recipe of the embedded data is not one for people.
        more = {k: v for k, v in given.items() if k not in ("dataset", "recipe")}
        lines.append(f"run --method {method} --dataset FOLDER{option_words(more)}{place}")
    print_next(*lines)


def claim_for(plan: Plan) -> Claim | None:
    """The paper's number for this very data set and protocol, if the method has one."""
    if not plan.data.is_published:
        return None
    here = (plan.data.card.name, plan.protocol.name)
    return next((c for c in plan.info.claims if (c.dataset, c.protocol) == here), None)


def _spread_line(done: list[Finished]) -> str:
    found = _many(done)
    cells = [f"{m} {number(found['mean'][m])} ± {number(found['sd'][m])}" for m in METRICS]
    return f"over {len(done)} seeds (mean ± sd): " + ", ".join(cells)
