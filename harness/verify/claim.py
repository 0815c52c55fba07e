"""What a record is held against beside its own evidence: its paper, and its own determinism."""

from __future__ import annotations

from collections.abc import Iterator

from harness.evidence.check import Check
from harness.evidence.record import METRICS, RunRecord
from harness.spec.known import KnownRecipes
from harness.spec.plugins import Plugins


def checks_of_claim(record: RunRecord, known: Plugins, points: float) -> Iterator[Check]:
    """Whether a run reaches what its method's paper prints for this data set and protocol.

    Nothing where the paper says nothing of them: a variant of the set is another set.

    Args:
        record: The run.
        known: What is installed; a method that is not has no claims here.
        points: How far below the paper is within tolerance, in percent.
    """
    info = known.methods.get(record.method)
    if info is None or record.dataset.get("published_list") is not True:
        return
    here = (str(record.dataset.get("name")), record.protocol_name)
    on = (record.dataset_label, record.protocol_name)
    own = KnownRecipes(known.methods).is_the_papers(record.method, here[0], record.recipe_hash, on)
    why = (
        f"the recipe is not {record.method}'s own {here[0]}, unchanged, which the claim is for: it "
        f"is {record.recipe.get('track')}, {record.recipe.get('source') or 'of no source'}"
    )
    for claim in info.claims:
        if (claim.dataset, claim.protocol) != here:
            continue
        for metric in METRICS:
            said = getattr(claim, metric)
            if said is None:
                continue
            label = f"claim {metric}"
            if not own:
                yield Check(label, unchecked=why)
                continue
            short = said - record.metrics[metric]
            problem = (
                f"the record says {record.metrics[metric]:.2f}, {short:.2f} points below the "
                f"{said} of {claim.source}; {points} points are within tolerance"
            )
            yield Check(label, problem if short > points else "")


def check_of_determinism(record: RunRecord) -> Check:
    """Whether the run asked torch for the same bits every time; without it, no bit can be."""
    told = record.environment.get("deterministic")
    problem = f"the record says deterministic = {told}: the same bits cannot be asked for again"
    return Check("deterministic", "" if told is True else problem)
