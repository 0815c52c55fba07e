"""The heavy part of a run: decode, train, embed, score and measure, stage by stage."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import numpy as np
import torch

from harness.base import accelerator, parallel
from harness.base.errors import TrainingError
from harness.base.files import replacing, require_space, write_json
from harness.base.hashing import derive_seed, digest, file_digest
from harness.base.parallel import is_main, main_first, on_main, world
from harness.base.progress import say
from harness.base.stages import Stages
from harness.data.lint import labels_of
from harness.evidence import environment
from harness.evidence.features_file import Side, read_own, write_features
from harness.evidence.privacy import without_person
from harness.evidence.record import evidence_of
from harness.runs import cost
from harness.runs.evaluation import Evaluation, scored
from harness.runs.pairing import paired, pairs
from harness.runs.plan import Plan
from harness.runs.sharded import embedded, evaluated
from harness.runs.taken import LOG, PEAK, TRAINED_IN, WEIGHTS, take_over, train_inputs
from harness.runs.workshop import Workshop, open_workshop
from harness.spec.dataset import Split
from harness.spec.protocol import Side as SideName
from harness.training import loop
from harness.training.checkpoint import needed_bytes, save_weights
from harness.training.memory import give_back_memory
from harness.training.mode import described
from harness.training.shared import require_images
from harness.training.starts import start_residuals_at_one


def results(
    plan: Plan, seed: int, folder: Path, device: torch.device, inputs: dict[str, Any]
) -> dict[str, Any]:
    """Everything a record says about training, accuracy and cost, with the evidence written.

    Of several processes each does its part, and the main one writes and gets the answer.
    """
    require_images(plan.resolved.recipe)
    cost.forget_peak(device)
    shop = open_workshop(plan, device)
    stages = Stages(folder)
    names = {k: folder / k for k in (WEIGHTS, LOG, "features.npz")}
    weights, log, features = names.values()
    of_training = train_inputs(plan, inputs, shop.arrays.key)
    key = digest(of_training)
    stages.run(
        "train",
        of_training,
        [weights.name, log.name],
        lambda: _have_trained(shop, seed, folder, key),
    )
    weights_hash = on_main(lambda: file_digest(weights))
    embed_inputs = {"weights": weights_hash, "protocol": plan.protocol.hash, "code": inputs["code"]}
    stages.run("embed", embed_inputs, [features.name], lambda: _embed(shop, folder))
    stages.run(
        "efficiency",
        embed_inputs,
        ["cost.json"],
        lambda: on_main(lambda: _efficiency(shop, folder)),
    )
    evaluation = evaluated(*read_own(features), plan.protocol, accelerator.named(device))
    if evaluation is None:
        return {}
    if evaluation.tied_queries:
        say(f"warning: {evaluation.tie_warning()}")
    _write_ranks(folder / "ranks.npz", evaluation)
    written = [WEIGHTS, LOG, features.name, "ranks.npz"]
    costs = read_costs(folder)
    return {
        **scored(evaluation, read_own(features)[0]),
        **costs,
        "environment": environment.describe(str(device), plan.info.name)
        | described(plan.resolved.recipe, device, costs["training"])
        | parallel.described(plan.resolved.recipe.batch_norm)
        | _notes(shop),
        "evidence": {Path(name).stem: evidence_of(folder / name) for name in written},
    }


def _notes(shop: Workshop) -> dict[str, Any]:
    """What the method has to say of how it was computed here, if anything."""
    noted = getattr(shop.method, "notes", None)
    said = {} if noted is None else noted(shop.plan.resolved.config, shop.device)
    return {"notes": {k: without_person(v) for k, v in said.items()}} if said else {}


def side_of(shop: Workshop, split: Split, side: SideName, weights: Path) -> Side:
    """The descriptors of a query or gallery split."""
    samples = shop.plan.data.samples(split)
    names = tuple(s.name for s in samples)
    key = shop.plan.shown(split, side)
    if key not in shop.sides:
        model = shop.trained(weights)
        with shop.embedded.of(len(samples)):
            descriptors = embedded(
                shop.method,
                model,
                shop.batches,
                shop.arrays.rows[split],
                shop.plan.modalities(side),
                names,
                shop.plan.protocol.change(side),
            )
        shop.sides[key] = Side(descriptors, names, labels_of(samples))
    return shop.sides[key]


def both_sides(shop: Workshop, weights: Path) -> tuple[Side, Side | None]:
    """Query and gallery descriptors; None for a gallery that is the query side itself.

    Where the two have different modalities they are as the method's `pair` gives them, if it has
    one.
    """
    protocol = shop.plan.protocol
    query = side_of(shop, protocol.query_split, "query", weights)
    seen = shop.plan.shown(protocol.query_split, "query")
    if seen == shop.plan.shown(protocol.gallery_split, "gallery"):
        return query, None
    sides = query, side_of(shop, protocol.gallery_split, "gallery", weights)
    return paired(shop.method, shop.trained(weights), sides, shop.plan.tested, shop.device)


def _have_trained(shop: Workshop, seed: int, folder: Path, key: str) -> None:
    if on_main(lambda: take_over(shop.plan, seed, folder, key)):
        on_main(lambda: loop.discard_checkpoint(folder))
    else:
        _train(shop, seed, folder, key)


def _train(shop: Workshop, seed: int, folder: Path, key: str) -> None:
    plan, recipe = shop.plan, shop.plan.resolved.recipe
    own_loop = getattr(shop.method, "train", None)
    if own_loop is not None and world().size > 1:
        raise TrainingError(
            seen=f"{plan.info.name} has a training loop of its own, for {world().size} processes",
            expected="a method that the harness trains, which shares each batch among processes",
            do="start it without torchrun",
        )
    torch.manual_seed(derive_seed("build", seed))
    # The main process first: what it downloads is there for the others.
    model = main_first(lambda: shop.build(recipe.pretrained))
    if recipe.residual_start == "one":
        say(f"train: {start_residuals_at_one(model)} normalisations start at one instead of zero")
    # A checkpoint with its optimiser, its replacement while it is written, and the weights.
    require_space(folder, needed_bytes(model, copies=5))
    batches = shop.training_batches()
    samples = plan.data.samples(plan.protocol.train_split)
    known = {pid: i for i, pid in enumerate(sorted({s.pid for s in samples}))}
    training = loop.Training(
        method=shop.method,
        recipe=recipe,
        seed=seed,
        batches=batches,
        rows=batches.arrays.rows[plan.protocol.train_split],
        labels=np.array([known[s.pid] for s in samples], dtype=np.int64),
        modalities=plan.modalities("train"),
        folder=folder,
        key=key,
    )
    say(f"train: {len(samples)} samples of {len(known)} identities on {shop.device}")
    (own_loop or loop.train)(training, model)
    give_back_memory()
    shop.model = model
    if is_main():
        about = {"recipe": recipe.dumped(), "seed": seed, "classes": len(known)}
        about["cameras"] = list(plan.cameras)
        save_weights(folder / WEIGHTS, model, about)
        loop.discard_checkpoint(folder)
        # The efficiency of a run that was cut off is measured in another process.
        write_json(folder / PEAK, round(cost.peak_memory_mib(shop.device), 1))


def _embed(shop: Workshop, folder: Path) -> None:
    sides = both_sides(shop, folder / WEIGHTS)
    if is_main():
        write_features(folder / "features.npz", *sides)


def _efficiency(shop: Workshop, folder: Path) -> None:
    split = shop.plan.protocol.query_split
    model = shop.trained(folder / WEIGHTS)
    row = shop.arrays.rows[split][:1]
    found = cost.measure(shop.method, model, shop.batches, row, shop.plan.modalities("query"))
    columns = getattr(shop.method, "modality_columns", None)
    found["modality_columns"] = {} if columns is None else columns(model)
    if pairs(shop.method, *shop.plan.tested):
        # Those of `embed` are not the ones that are compared.
        found["descriptor"] = read_own(folder / "features.npz")[0].features.shape[1]
        found["modality_columns"] = {}
    found["throughput"] = shop.embedded.per_second
    found["peak_memory_mib"] = round(cost.peak_memory_mib(shop.device), 1)
    write_json(folder / "cost.json", found)


def read_costs(folder: Path) -> dict[str, Any]:
    """The training log and what was measured, from the run's folder."""
    import json

    rows = [json.loads(line) for line in (folder / LOG).read_text().splitlines()]
    found = json.loads((folder / "cost.json").read_text())
    with contextlib.suppress(FileNotFoundError):
        trained = json.loads((folder / PEAK).read_text())
        found["peak_memory_mib"] = max(found["peak_memory_mib"], trained)
    with contextlib.suppress(FileNotFoundError):
        found["trained_in"] = json.loads((folder / TRAINED_IN).read_text())
    waited = {
        name: sum(row.get(name, 0.0) for row in rows) for name in ("seconds", "compiling_seconds")
    }
    # What a user waited for, and how much of it was for the compiler, which epochs do not count.
    found["training_seconds"] = round(sum(waited.values()), 3)
    if waited["compiling_seconds"]:
        found["compiling_seconds"] = round(waited["compiling_seconds"], 3)
    return {"training": rows, "cost": found}


def _write_ranks(path: Path, evaluation: Evaluation) -> None:
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez(
            file,
            rank_lists=evaluation.rank_lists,
            per_query_ap=evaluation.score.per_query_ap,
            per_query_inp=evaluation.score.per_query_inp,
            first_rank=evaluation.score.first_rank,
        )
