"""DDAG: as the public one, graphs that link one identity, a weight that survives a checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from baselines.ddag.attention import CrossModalGraph, GraphAttention, same_identity
from baselines.ddag.config import DDAGConfig
from baselines.ddag.info import INFO
from baselines.ddag.method import DDAG
from baselines.ddag.model import DDAGNet
from harness.base.errors import RecipeError
from harness.spec.modality import MODALITIES, Modality
from harness.spec.resolve import resolve
from harness.training.checkpoint import load_state, save_state
from harness.training.optimiser import make_optimiser
from harness.training.schedule import learning_rate
from tests.baselines.pairs import (
    PAIR,
    SETTING,
    data_info,
    fill,
    golden_batch,
    golden_numbers,
    gradient_norm,
    near,
    only,
    public_value,
    running_sum,
    small_batch,
)

METHOD = DDAG()
SMALL = DDAGConfig(backbone="resnet18", width=16)
STEM = ("conv1", "bn1")


def small_net(modalities: tuple[Modality, ...] = PAIR, config: DDAGConfig = SMALL) -> DDAGNet:
    torch.manual_seed(0)
    return METHOD.build(config, data_info(modalities))


def public_drawn(key: str, shape: tuple[int, ...]) -> NDArray[Any]:
    """What the public network has for one of our keys; the dynamic weight stays 0 there."""
    first, _, rest = key.partition(".")
    if first == "stems":
        modality, number, leaf = rest.split(".")
        kind = {"RGB": "visible", "TI": "thermal"}[modality]
        return public_value(f"{kind}_module.{kind}.{STEM[int(number)]}.{leaf}", shape)
    if first == "stages":
        number, _, inner = rest.partition(".")
        return public_value(f"base_resnet.base.layer{int(number) + 1}.{inner}", shape)
    if first == "graph":
        return graph_value(rest, shape)
    simple = {"norm": "bottleneck", "query": "fc1.0", "key": "fc2", "value": "fc3"}
    part, _, leaf = rest.partition(".")
    name = ".".join(x for x in (simple.get(part, part), leaf) if x)
    return public_value(f"wpa.{name}" if first == "parts" else name, shape)


def graph_value(rest: str, shape: tuple[int, ...]) -> NDArray[Any]:
    """One vector there is two halves here, and a matrix is transposed."""
    head, _, leaf = rest.rpartition("own" if rest.endswith("own") else "other")
    if not leaf and not rest.endswith("weight"):
        public = "out_att" if head.startswith("out") else f"attention_{head.split('.')[1]}"
        halves = public_value(f"{public}.a", (2 * shape[0], 1))[:, 0]
        return halves[: shape[0]] if rest.endswith("own") else halves[shape[0] :]
    public = "out_att" if rest.startswith("out") else f"attention_{rest.split('.')[1]}"
    return public_value(f"{public}.W", shape[::-1]).T


def public_net(descriptor: Literal["part", "global"] = "part") -> DDAGNet:
    config = DDAGConfig(dropout=0.0, descriptor=descriptor)
    model = METHOD.build(config, data_info(classes=SETTING.classes)).double()
    fill(
        model,
        lambda key, shape: (
            torch.zeros(shape).numpy() if key.startswith("dynamic") else public_drawn(key, shape)
        ),
    )
    return model


def test_equals_the_public_network() -> None:
    golden, batch, model = golden_numbers("ddag"), golden_batch(), public_net()
    for descriptor in ("part", "global"):
        model.config = DDAGConfig(dropout=0.0, descriptor=descriptor)
        with torch.no_grad():
            for modality in PAIR:
                found = METHOD.embed(model, only(batch, modality))
                near(found[:, ::16], golden[f"eval.{descriptor}.{modality}"])
    model.train()
    METHOD.start_epoch(model, 0)
    first = METHOD.loss(model, batch)
    for name in ("id", "triplet", "part"):
        near(first[name], golden[f"loss.{name}"])
    assert float(first["graph"].detach()) == 0
    near(running_sum(model), golden["buffers.sum"])

    METHOD.start_epoch(model, 1)
    near(model.dynamic.weight, golden["weight"])
    terms = METHOD.loss(model, batch)
    near(terms["graph"], golden["loss.graph"] * golden["weight"])
    torch.stack(list(terms.values())).sum().backward()
    near(gradient_norm(model), golden["grad.norm"], 1e-6)


@pytest.mark.parametrize("modalities", [("TI",), PAIR, MODALITIES])
def test_descriptor_and_losses_for_any_number_of_modalities(
    modalities: tuple[Modality, ...],
) -> None:
    model, batch = small_net(modalities), small_batch(modalities)
    assert set(METHOD.loss(model.train(), batch)) == {"id", "triplet", "part", "graph"}
    with torch.no_grad():
        descriptor = METHOD.embed(model, batch)
    assert descriptor.shape == (4, 512)
    torch.testing.assert_close(descriptor.norm(dim=1), torch.ones(4))


def test_only_stems_know_the_modality() -> None:
    model, batch = small_net(), small_batch()
    same = batch._replace(images={"RGB": batch.images["RGB"], "TI": batch.images["RGB"]})
    with torch.no_grad():
        model.stems["TI"].load_state_dict(model.stems["RGB"].state_dict())
        a, b = (METHOD.embed(model, only(same, m)) for m in PAIR)
        torch.testing.assert_close(a, b)
        torch.nn.init.normal_(model.stems["TI"][0].weight)
        assert not torch.allclose(METHOD.embed(model, only(same, "TI")), b)


@pytest.mark.parametrize("seed", range(3))
def test_attention_is_over_the_same_identity_and_against_a_plain_reference(seed: int) -> None:
    """Node i attends to j only where both show one person, whatever the modality and the order."""
    draw = torch.Generator().manual_seed(seed)
    pids = torch.randint(3, (7,), generator=draw)
    nodes = torch.randn(7, 5, generator=draw)
    torch.manual_seed(seed)
    head = GraphAttention(5, 4, 0.0, 0.2)
    with torch.no_grad():
        weights = head.weights(head.project(nodes), same_identity(pids))
        found = head(nodes, same_identity(pids))
        want = torch.stack([plain_node(head, nodes, pids, i) for i in range(7)])
    assert ((weights > 0) == (pids[:, None] == pids[None, :])).all()
    torch.testing.assert_close(weights.sum(1), torch.ones(7))
    torch.testing.assert_close(found, want)


def plain_node(head: GraphAttention, nodes: Tensor, pids: Tensor, i: int) -> Tensor:
    """Equation 7 for one node: softmax over its neighbours of LeakyReLU(a [W h_i, W h_j])."""
    a = torch.cat([head.own, head.other])
    near_by = [j for j in range(len(pids)) if pids[j] == pids[i]]
    h = [head.project.weight @ nodes[j] for j in range(len(pids))]
    scores = [functional.leaky_relu(a @ torch.cat([h[i], h[j]]), 0.2) for j in near_by]
    share = torch.stack(scores).exp() / torch.stack(scores).exp().sum()
    return sum((s * h[j] for s, j in zip(share, near_by, strict=True)), torch.zeros(4))


def test_other_identities_never_reach_a_node() -> None:
    torch.manual_seed(0)
    graph = CrossModalGraph(8, 6, heads=2, width=4, dropout=0.0, slope=0.2)
    pids = torch.tensor([0, 1, 0, 1, 2])
    nodes = torch.randn(5, 8)
    changed = nodes.clone()
    changed[[1, 3, 4]] += 10
    with torch.no_grad():
        before, after = graph(nodes, pids), graph(changed, pids)
    torch.testing.assert_close(before[[0, 2]], after[[0, 2]])
    assert not torch.allclose(before[1], after[1])


def test_the_weight_follows_the_epoch_before() -> None:
    model, batch = small_net().train(), small_batch()
    METHOD.start_epoch(model, 0)
    assert float(model.dynamic.weight) == 0
    sums = []
    for _ in range(2):
        terms = METHOD.loss(model, batch)
        sums.append(sum(float(terms[k].detach()) for k in ("id", "triplet", "part")))
        assert float(terms["graph"].detach()) == 0
    METHOD.start_epoch(model, 1)
    assert float(model.dynamic.weight) == pytest.approx(1 / (1 + sum(sums) / 2), rel=1e-5)
    assert float(METHOD.loss(model, batch)["graph"].detach()) > 0


def test_the_weight_is_the_same_after_a_checkpoint(tmp_path: Path) -> None:
    """A training cut off at the end of an epoch starts the next with the same weight."""
    settings = resolve(INFO, "smoke", "synthetic", "full").recipe.optimiser
    model = small_net().train()
    METHOD.start_epoch(model, 0)
    METHOD.loss(model, small_batch())
    path = tmp_path / "checkpoint.safetensors"
    save_state(path, model, make_optimiser(settings, model), {"epoch": 1})
    again = small_net(config=SMALL)
    load_state(path, again, make_optimiser(settings, again))
    for net in (model, again):
        METHOD.start_epoch(net, 1)
    assert float(model.dynamic.weight) > 0
    assert torch.equal(model.dynamic.weight, again.dynamic.weight)


def test_switched_off_attentions() -> None:
    plain = SMALL.model_copy(update={"part_attention": False, "graph": False})
    model = small_net(config=plain).train()
    assert set(METHOD.loss(model, small_batch())) == {"id", "triplet"}
    assert not [k for k in model.state_dict() if k.startswith(("parts.", "graph."))]


def test_an_absent_image_is_no_node() -> None:
    model = small_net().train()
    batch = small_batch(absent={"TI": [1, 2]})
    METHOD.loss(model, batch)
    fresh = small_net().train()
    fresh({"RGB": batch.images["RGB"], "TI": batch.images["TI"][[0, 3]]})
    assert running_sum(model) == pytest.approx(running_sum(fresh), rel=1e-5)


def test_the_official_rates() -> None:
    """A tenth at first, whole at epoch 9, then two steps; stems and stages at a tenth of it."""
    recipe = resolve(INFO, "rgbnt201", "rgbnt201", "RGB>TI@regdb").recipe
    rates = [learning_rate(recipe.schedule, 0.1, e, recipe.epochs) for e in (0, 4, 9, 19, 20, 50)]
    assert rates == pytest.approx([0.01, 0.05, 0.1, 0.1, 0.01, 0.001])
    model = small_net()
    groups = make_optimiser(recipe.optimiser, model, METHOD.lr_scales(model)).param_groups
    rate = {id(p): g["lr"] for g in groups for p in g["params"]}
    assert all(rate[id(p)] == pytest.approx(0.01) for p in model.stages.parameters())
    assert rate[id(model.neck.classifier.weight)] == pytest.approx(0.1)


def test_a_backbone_without_the_stages_is_refused() -> None:
    with pytest.raises(RecipeError, match="not built as a ResNet"):
        METHOD.build(DDAGConfig(backbone="convnext_atto"), data_info())
