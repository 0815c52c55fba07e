"""TOP-ReID against the numbers of its authors' code."""

from __future__ import annotations

import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from baselines.top_reid.config import TopReidConfig
from baselines.top_reid.info import INFO
from baselines.top_reid.method import TopReid
from harness.spec.method import Batch, DataInfo
from harness.spec.modality import MODALITIES
from tests.baselines.vit_golden import (
    authors_shapes,
    cases,
    close,
    close_terms,
    embedded,
    make,
    two_steps,
    without,
)

CASES = cases(INFO.name)
PUBLISHED = DataInfo(171, MODALITIES, 256, 128, "none", cameras=4)


def theirs(case: str) -> dict[str, object]:
    """The baseline's joint head has another name in the authors' code."""
    if "baseline" not in case:
        return {}
    return {"authors_name": lambda key: key.replace("_ViT.", ".", 1)}


def test_names_shapes_and_parameters_are_the_authors() -> None:
    shapes, parameters = authors_shapes(INFO.name)
    used = {k: s for k, s in shapes.items() if ".base.fc." not in k}
    with torch.device("meta"):
        model = TopReid().build(TopReidConfig(), PUBLISHED)
    assert {k: tuple(v.shape) for k, v in model.state_dict().items()} == used
    dead = 3 * (1000 * 768 + 1000)
    assert sum(p.numel() for p in model.parameters()) == parameters - dead == 322_219_008


def test_a_triplet_costs_what_was_measured() -> None:
    """70.86 GFLOP at test; CRM has no part in it as long as nothing is absent."""
    with torch.device("meta"):
        model = TopReid().build(TopReidConfig(), PUBLISHED)
        images = {m: torch.zeros(1, 3, 256, 128) for m in MODALITIES}
        camids = torch.zeros(1, dtype=torch.int64)
    present = {m: torch.ones(1, dtype=torch.bool) for m in MODALITIES}
    batch = Batch(images, present, torch.tensor([-1]), camids)
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), counter:
        TopReid().embed(model, batch)
    assert counter.get_total_flops() / 1e9 == pytest.approx(70.86, abs=0.005)


def test_descriptors_and_losses_are_the_authors() -> None:
    made = make(INFO, "small_joint_f64")
    close(embedded(made, made.batch), made.want["eval.feat"], 1e-9)
    for letters in ("r", "n", "t", "rn", "rt", "nt"):
        found = embedded(made, without(made, letters))
        close(found, made.want[f"eval.feat.missing_{letters}"], 1e-9)
    with torch.no_grad():
        terms = made.method.loss(made.model.train(), made.batch)
    close_terms({k: float(v) for k, v in terms.items()}, made.want, 1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_every_case_and_its_steps(case: str) -> None:
    made = make(INFO, case, **theirs(case))  # type: ignore[arg-type]
    tolerance = 1e-9 if case.endswith("f64") else 1e-5
    close(embedded(made, made.batch), made.want["eval.feat"], tolerance)
    for key in (k for k in made.want if k.startswith("eval.feat.missing_")):
        found = embedded(made, without(made, key.rpartition("_")[2]))
        close(found, made.want[key], tolerance)
    first, second = two_steps(made, CASES[case])
    close_terms(first, made.want, tolerance)
    close(sum(second.values()), made.want["loss.total.step1"], tolerance)
    close(embedded(made, made.batch), made.want["eval.feat_after_step"], tolerance)
