"""timm: every fusion and loss, absent modalities, columns, and a run from the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from baselines.timm_streams.config import TimmConfig
from baselines.timm_streams.method import TimmStreams
from harness.spec.method import Batch, DataInfo
from harness.spec.modality import MODALITIES, Modality
from harness.spec.recipe import Optimiser
from harness.training.optimiser import make_optimiser
from tests.conftest import Harness

FUSIONS = ("image_sum", "feature_sum", "feature_concat", "aggregate", "progressive")
METHOD = TimmStreams()
SIZE = (64, 32)


def build(modalities: tuple[Modality, ...] = MODALITIES, **config: Any) -> Any:
    torch.manual_seed(0)
    options = TimmConfig(**{"backbone": "test_resnet", **config})
    return METHOD.build(options, DataInfo(4, modalities, *SIZE, "none"))


def batch(modalities: tuple[Modality, ...] = MODALITIES, n: int = 4, seed: int = 1) -> Batch:
    rng = torch.Generator().manual_seed(seed)
    images = {m: torch.randn(n, 3, *SIZE, generator=rng) for m in modalities}
    present = {m: torch.ones(n, dtype=torch.bool) for m in modalities}
    return Batch(images, present, torch.arange(n) // 2)


def without(full: Batch, modality: Modality, rows: list[int]) -> Batch:
    """The batch whose rows lack a modality, as the harness shows it."""
    images, present = dict(full.images), dict(full.present)
    images[modality], present[modality] = images[modality].clone(), present[modality].clone()
    images[modality][rows] = 0
    present[modality][rows] = False
    return Batch(images, present, full.pids)


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("streams", ["own", "shared"])
@pytest.mark.parametrize("fusion", FUSIONS)
def test_every_fusion_trains_every_part(fusion: str, streams: str, count: int) -> None:
    modalities = MODALITIES[:count]
    across = {} if fusion == "image_sum" else {"weight_hetero_center": 0.5, "weight_3m": 1.0}
    model = build(modalities, fusion=fusion, streams=streams, weight_center=0.1, **across).train()
    terms = METHOD.loss(model, batch(modalities))
    assert set(terms) == {"ce", "triplet", "center"} | (
        {"hetero_center", "3m"} if across else set()
    )
    sum(terms.values()).backward()  # type: ignore[union-attr]
    idle = [k for k, p in model.named_parameters() if p.requires_grad and p.grad is None]
    assert not idle
    descriptors = METHOD.embed(model, batch(modalities))
    torch.testing.assert_close(descriptors.norm(dim=1), torch.ones(4))
    assert model.training


@pytest.mark.parametrize("fusion", FUSIONS)
def test_transformers_are_fused_too(fusion: str) -> None:
    model = build(fusion=fusion, backbone="test_vit").train()
    sum(METHOD.loss(model, batch()).values()).backward()  # type: ignore[union-attr]
    assert METHOD.embed(model, batch()).shape == (4, model.neck.norm.num_features)


def test_the_widths_of_the_fusions_and_the_number_of_backbones() -> None:
    width = {f: METHOD.embed(build(fusion=f), batch()).shape[1] for f in FUSIONS}
    one = width["image_sum"]
    assert width == dict(zip(FUSIONS, (one, one, 3 * one, one, 5 * one), strict=True))
    sizes = {
        (f, s): sum(p.numel() for p in build(fusion=f, streams=s).backbones.parameters())
        for f in ("image_sum", "feature_concat")
        for s in ("own", "shared")
    }
    assert sizes["feature_concat", "own"] == 3 * sizes["feature_concat", "shared"]
    assert sizes["image_sum", "own"] == sizes["feature_concat", "shared"]


def test_sums_are_sums() -> None:
    model = build(fusion="feature_sum").eval()
    full = batch()
    with torch.no_grad():
        fused, vectors, _ = model._fuse(full.images, full.present)
    torch.testing.assert_close(fused, sum(vectors.values()))
    model = build(fusion="image_sum").eval()
    with torch.no_grad():
        fused, _, _ = model._fuse(full.images, full.present)
        backbone = model.backbones["all"]
        torch.testing.assert_close(fused, backbone.pool(backbone(sum(full.images.values()))))


@pytest.mark.parametrize("fusion", FUSIONS)
@pytest.mark.parametrize("backbone", ["test_resnet", "test_vit"])
def test_a_side_and_a_row_without_a_modality_are_embedded_alike(fusion: str, backbone: str) -> None:
    model = build(fusion=fusion, backbone=backbone)
    full = batch()
    rows = METHOD.embed(model, without(full, "NI", [1, 3]))
    side = METHOD.embed(model, batch(("RGB", "NI", "TI"))._replace(
        images={m: full.images[m] for m in ("RGB", "TI")},
        present={m: full.present[m] for m in ("RGB", "TI")},
    ))  # fmt: skip
    whole = METHOD.embed(model, full)
    torch.testing.assert_close(rows[[1, 3]], side[[1, 3]])
    torch.testing.assert_close(rows[[0, 2]], whole[[0, 2]])
    assert not torch.allclose(rows[[1, 3]], whole[[1, 3]])
    columns = METHOD.modality_columns(model)
    if "NI" in columns:
        assert not side[:, slice(*columns["NI"])].any()


@pytest.mark.parametrize("fusion", ["feature_concat", "progressive"])
def test_columns_named_as_one_modality_depend_on_it_alone(fusion: str) -> None:
    model = build(fusion=fusion)
    one, two = batch(), batch()
    two.images["TI"] += 1
    a, b = METHOD.embed(model, one), METHOD.embed(model, two)
    columns = METHOD.modality_columns(model)
    assert set(columns) == set(MODALITIES)
    for modality, (start, upto) in columns.items():
        pieces = [torch.nn.functional.normalize(x[:, start:upto]) for x in (a, b)]
        assert torch.allclose(*pieces, atol=1e-5) == (modality != "TI")
    for other in ("image_sum", "feature_sum", "aggregate"):
        assert METHOD.modality_columns(build(fusion=other)) == {}


def test_weights_weigh_and_zero_turns_off() -> None:
    names = {"ce": "ce", "triplet": "triplet", "3m": "3m", "hetero_center": "hetero_center"}
    off = {f"weight_{n}": 0.0 for n in ("ce", "triplet")}
    for term, key in names.items():
        one = METHOD.loss(build(**{**off, f"weight_{key}": 1.0}).train(), batch())
        two = METHOD.loss(build(**{**off, f"weight_{key}": 2.5}).train(), batch())
        assert set(one) == {term}
        torch.testing.assert_close(two[term], 2.5 * one[term])


def test_the_centres_learn_at_their_own_rate() -> None:
    model = build(weight_center=0.1, center_rate=7.0)
    scales = METHOD.lr_scales(model)
    optimiser = make_optimiser(Optimiser(lr=0.01), model, scales)
    rates = {id(p): g["lr"] for g in optimiser.param_groups for p in g["params"]}
    assert rates.pop(id(model.center.centres)) == pytest.approx(0.07)
    assert set(rates.values()) == {0.01}
    assert METHOD.lr_scales(build()) == []


RUN = ("--set", "epochs=1", "--set", "input.height=64", "--set", "input.width=32",
       "--set", "backbone=test_resnet")  # fmt: skip


def test_a_run_needs_no_more_than_a_name(harness: Harness, drawn: Path, tmp_path: Path) -> None:
    chosen = ("--set", "weight_center=0.001", "--set", "weight_3m=1", "--recipe", "smoke")
    answer = harness(
        "run", "--method", "timm", "--dataset", drawn, *RUN, *chosen, "--out", tmp_path, "--json"
    )
    assert answer.code == 0, answer.err
    assert "3m" in answer.err and "center" in answer.err


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (("fusion=image_sum", "weight_3m=1"), "weight_3m compares"),
        (("weight_ce=0", "weight_triplet=0"), "nothing would be trained"),
        (("fusion=sum",), "config.fusion"),
        (("backbone=convnext_tny",), "unknown backbone"),
    ],
)
def test_wrong_options_end_before_training(
    harness: Harness, drawn: Path, tmp_path: Path, changes: tuple[str, ...], words: str
) -> None:
    sets = [word for change in changes for word in ("--set", change)]
    answer = harness(
        "run", "--method", "timm", "--dataset", drawn, "--recipe", "smoke", *sets,
        "--out", tmp_path, "--json",
    )  # fmt: skip
    assert answer.code == 2
    assert words in answer.error["seen"]
