"""MFRNet beyond the golden cases: size, routing by loops, absence, switches, names, rates."""

from __future__ import annotations

import math
from statistics import NormalDist, variance
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from baselines.mfrnet.config import MFRNetConfig
from baselines.mfrnet.info import INFO
from baselines.mfrnet.method import MFRNetMethod
from baselines.mfrnet.model import MFRNet
from baselines.mfrnet.routing import ExpertLayer, Routed, imbalance, kept
from harness.base.errors import CheckpointError
from harness.conformance.checks import rows_of
from harness.spec.method import Batch, DataInfo
from harness.spec.modality import MODALITIES, Modality
from harness.spec.resolve import resolve
from harness.training.optimiser import make_optimiser
from tests.baselines.mfrnet.official import official
from tests.batches import batch as without_cameras

METHOD = MFRNetMethod()
SIZE = (64, 32)
TINY = {"depth": 2, "width": 16, "heads": 2, "patch": 16, "out": 16}
SWITCHES = {
    "baseline": {"generation": False, "moe": False},
    "generation": {"moe": False},
    "moe": {"generation": False},
    "all": {"global_local": True},
}


def build(modalities: tuple[Modality, ...] = MODALITIES, **config: Any) -> MFRNet:
    torch.manual_seed(0)
    options = MFRNetConfig(**{"encoder": TINY, "experts_init": "random", **config})
    return METHOD.build(options, DataInfo(4, modalities, *SIZE, "none", cameras=3))


def batch(modalities: tuple[Modality, ...] = MODALITIES, n: int = 4) -> Batch:
    return without_cameras(modalities, n)._replace(camids=torch.arange(n) % 3)


def layer(**config: Any) -> ExpertLayer:
    torch.manual_seed(0)
    options = MFRNetConfig(**{"experts_init": "random", "dropout": 0.0, **config})
    found = ExpertLayer(8, 3, 5, residual=True, config=options)
    # Directions as they start are nearly alike to every token.
    torch.nn.init.normal_(found.gate.directions)
    return found


def test_size_is_the_authors_without_what_they_never_use() -> None:
    with torch.device("meta"):
        about = DataInfo(6, MODALITIES, 256, 128, "none", cameras=4)
        net = METHOD.build(MFRNetConfig(), about)
        idle = ExpertLayer(768, 6, 512, residual=True, config=MFRNetConfig())
    unused = 11 * sum(p.numel() for p in idle.parameters())
    assert sum(p.numel() for p in net.parameters()) + unused == 101_538_324
    frozen = {k for k, p in net.named_parameters() if not p.requires_grad}
    mlp = {k for k, _ in net.named_parameters() if k.startswith("backbone.encoder.blocks.11.mlp.")}
    assert frozen == mlp | {"heads.necks.ori.norm.bias"}


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), count=st.integers(1, 4), tokens=st.integers(1, 15))
def test_capacity_against_a_loop(seed: int, count: int, tokens: int) -> None:
    torch.manual_seed(seed)
    # Few values, so that some are equal.
    sure, chosen = torch.randint(0, 5, (tokens,)) / 5, torch.randint(count, (tokens,))
    for most in range(tokens + 1):
        taken, want = [0] * count, [False] * tokens
        for i in sorted(range(tokens), key=lambda i: -float(sure[i])):
            if taken[chosen[i]] < most:
                taken[chosen[i]] += 1
                want[i] = True
        assert kept(sure, chosen, count, most).tolist() == want


@pytest.mark.parametrize("experts", ["shared", "separate"])
@pytest.mark.parametrize("limited", [False, True])
def test_experts_against_a_loop(experts: str, limited: bool) -> None:
    asked = layer(experts=experts).eval()
    tokens = torch.randn(2, 5, 8)
    with torch.no_grad():
        found = asked(tokens, limited)
        flat, answers = tokens.flatten(0, 1), []
        for token in flat:
            turned = asked.gate.projector(token)
            logits = torch.stack(
                [2 * torch.cosine_similarity(turned, d, dim=0) for d in asked.gate.directions.T]
            )
            share, best = logits.softmax(0).max(0)
            expert = asked.experts[0 if experts == "shared" else int(best)]
            answers.append((float(share), int(best), share * expert(token)))
        want = torch.zeros(10, 8)
        for e in range(3):
            mine = sorted(
                (i for i in range(10) if answers[i][1] == e), key=lambda i: -answers[i][0]
            )
            for i in mine[: math.ceil(10 / 3) if limited else None]:
                want[i] = answers[i][2]
    torch.testing.assert_close(found.output.flatten(0, 1), want)
    refused = int((want == 0).all(1).sum())
    assert (refused > 0) == limited


def test_balance_against_a_loop() -> None:
    torch.manual_seed(0)
    shares, chosen = torch.rand(2, 7, 3).softmax(-1), torch.rand(2, 7)
    important, loads = [0.0] * 3, [0.0] * 3
    for row, logit in zip(shares.flatten(0, 1).tolist(), chosen.flatten().tolist(), strict=True):
        for e in range(3):
            important[e] += row[e]
            loads[e] += NormalDist().cdf((row[e] - logit) / (0.5 / 3))
    want = sum(variance(a) / (sum(a) / 3) ** 2 for a in (important, loads)) / 2
    assert float(imbalance(Routed(shares, shares, chosen), 0.5)) == pytest.approx(want, rel=1e-5)


def test_noise_of_the_gate_is_of_training_alone() -> None:
    noisy, tokens = layer(), torch.randn(2, 5, 8)
    clean, drawn = noisy.gate(tokens)
    assert 0.05 < float((drawn - clean).detach().std()) < 1
    for still in (layer().eval(), layer(gate_noise_drawn=False)):
        assert torch.equal(*still.gate(tokens))


def test_zero_experts_learn_a_shift_and_nothing_else() -> None:
    net = build(experts_init="zero").train()
    for _ in range(3):
        net.zero_grad()
        sum(METHOD.loss(net, batch()).values()).backward()
        torch.optim.SGD(net.parameters(), 0.1).step()
        for name, parameter in net.named_parameters():
            if ".experts." in name:
                assert bool(parameter.any()) == name.endswith("second.bias"), name


@pytest.mark.parametrize("supervision", ["joint", "each"])
@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("name", SWITCHES)
def test_every_switch_with_any_modalities(name: str, count: int, supervision: str) -> None:
    modalities = MODALITIES[-count:]
    net = build(modalities, supervision=supervision, **SWITCHES[name])
    terms = METHOD.loss(net.train(), batch(modalities))
    want = {"id_ori", "triplet_ori"}
    if supervision == "each":
        want = {f"{kind}_{m}" for kind in ("id", "triplet") for m in modalities}
    balanced = (name in ("generation", "all") and count > 1) or name in ("moe", "all")
    assert set(terms) == (want | {"balance"} if balanced else want)
    assert all(torch.isfinite(t) for t in terms.values())
    assert METHOD.embed(net.eval(), batch(modalities)).shape == (4, 16 * count)


def test_the_balance_of_generation_counts_once_for_each_block() -> None:
    net = build(gate_noise_drawn=False, balance_weight=0.5, dropout=0.0).train()
    started = net.start(batch())
    ended = net.finish(net(started.tokens))
    assert (set(started.routed), set(ended.routed)) == ({"one", "two"}, {"adapter"})
    parts = [2 * imbalance(r, 1.0) for r in started.routed.values()]
    want = 0.5 * (sum(parts) + imbalance(ended.routed["adapter"], 1.0))
    torch.testing.assert_close(METHOD.loss(net, batch())["balance"], want)


def test_capacity_at_test_makes_descriptors_depend_on_their_batch() -> None:
    free, bound = build().eval(), build(capacity="batch").eval()
    for net in (free, bound):
        torch.nn.init.normal_(net.adapter.gate.directions)
        torch.nn.init.normal_(net.generation.layers["one"].gate.directions)
    few = rows_of(batch(), [0, 1])
    torch.testing.assert_close(METHOD.embed(free, few), METHOD.embed(free, batch())[:2])
    assert not torch.allclose(METHOD.embed(bound, few), METHOD.embed(bound, batch())[:2], rtol=0.01)
    same = build(capacity="batch", capacity_factor=6.0).eval()
    same.load_state_dict(free.state_dict())
    torch.testing.assert_close(METHOD.embed(same, few), METHOD.embed(free, few))
    assert METHOD.modality_columns(free) == {}
    assert set(METHOD.modality_columns(build(generation=False))) == set(MODALITIES)


def test_an_absent_modality_is_made_of_those_that_are_there() -> None:
    net, whole = build().eval(), batch()
    for gone in (("RGB",), ("NI", "TI"), ("RGB", "TI")):
        here = {m: x for m, x in whole.images.items() if m not in gone}
        without = whole._replace(images=here, present={m: whole.present[m] for m in here})
        there = {m: p & (m not in gone) for m, p in whole.present.items()}
        # What the image shows does not matter where it is said to be absent.
        masked = whole._replace(present=there)
        torch.testing.assert_close(METHOD.embed(net, without), METHOD.embed(net, masked))
        assert not torch.allclose(METHOD.embed(net, without), METHOD.embed(net, whole), rtol=0.01)


def test_the_authors_names_load_whole() -> None:
    net = build(supervision="each", global_local=True)
    theirs = official(net)
    ours = METHOD.import_state({"state_dict": {f"module.{k}": v for k, v in theirs.items()}})
    assert ours.keys() == net.state_dict().keys()
    assert all(torch.equal(ours[k], v) for k, v in net.state_dict().items())
    own = dict(net.state_dict())
    assert METHOD.import_state(own) == own
    with pytest.raises(CheckpointError, match="is MDReID's, not MFRNet's"):
        METHOD.import_state({"BACKBONE.base.add_image_token": torch.zeros(1)})
    with pytest.raises(CheckpointError, match="no counterpart for the parameter 'AAM"):
        METHOD.import_state(theirs | {"AAM.old": torch.zeros(1)})


@pytest.mark.parametrize(
    ("name", "batch_of", "epochs", "warm_up"),
    [("rgbnt201", (8, 8), 45, 10), ("rgbnt100", (4, 16), 45, 5), ("msvr310", (16, 4), 50, 10)],
)
def test_official_recipes_are_the_authors_configurations(
    name: str, batch_of: tuple[int, int], epochs: int, warm_up: int
) -> None:
    recipe, config = resolve(INFO, name, name, "full")
    assert recipe.track == "official" and recipe.epochs == epochs
    assert (recipe.sampler.identities, recipe.sampler.instances) == batch_of
    assert recipe.schedule.warmup_epochs == warm_up and recipe.schedule.noise == "timm-42"
    assert isinstance(config, MFRNetConfig)
    assert config.supervision == ("joint" if name == "rgbnt201" else "each")
    assert config.global_local == (name == "rgbnt100")
    assert (config.capacity, config.experts, config.experts_init) == ("none", "shared", "zero")
    net = build(global_local=True, encoder_rate=config.encoder_rate)
    groups = make_optimiser(recipe.optimiser, net, METHOD.lr_scales(net)).param_groups
    rates = {id(p): g["lr"] for g in groups for p in g["params"]}
    wanted: list[tuple[Tensor, float]] = [
        (net.backbone.encoder.positional_embedding, 5e-6),
        (net.backbone.encoder.ln_post.bias, 5e-6),
        (net.backbone.camera_embedding, 3.5e-4),
        (net.adapter.experts[0].second.bias, 3.5e-4),
        (net.generation.weights["RGB_NI"].bias, 3.5e-4),
        (net.heads.necks["ori"].norm.weight, 3.5e-4),
        (net.reduce["RGB"][1].bias, 7e-4),
    ]
    for parameter, rate in wanted:
        assert rates[id(parameter)] == pytest.approx(rate)


def test_fast_mode_gives_finite_terms_and_gradients() -> None:
    net = build().train()
    with torch.autocast("cpu", torch.bfloat16):
        terms = METHOD.loss(net, batch())
        assert net.adapter.gate(torch.randn(1, 2, 16).bfloat16())[0].dtype == torch.float32
    torch.stack([t.float() for t in terms.values()]).sum().backward()
    assert all(torch.isfinite(t) for t in terms.values())
    assert all(torch.isfinite(p.grad).all() for p in net.parameters() if p.grad is not None)
