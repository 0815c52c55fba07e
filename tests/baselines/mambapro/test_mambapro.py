"""MambaPro beyond the golden cases: sizes, blocks by hand, switches, names, rates, the record."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from baselines.mambapro.aggregation import Mixing, StateSpace
from baselines.mambapro.config import MambaProConfig
from baselines.mambapro.info import INFO
from baselines.mambapro.method import MambaPro
from baselines.mambapro.model import MambaProNet
from baselines.mambapro.synergy import Addition
from harness.base.errors import CheckpointError
from harness.spec.method import Batch, DataInfo
from harness.spec.modality import MODALITIES, Modality
from harness.spec.resolve import resolve
from harness.training.optimiser import make_optimiser
from tests.baselines.mambapro.official import official
from tests.batches import batch as without_cameras
from tests.conftest import Harness

METHOD = MambaPro()
SIZE = (64, 32)
TINY = {"depth": 2, "width": 16, "heads": 2, "patch": 16, "out": 16}
SMALL = MambaProConfig(dt_rank=3, d_state=4, prompts=2)
SWITCHES = {
    "fine_tune": {"prompt": False, "adapter": False, "mamba": False, "frozen": False},
    "adapter": {"prompt": False, "mamba": False},
    "prompt": {"adapter": False, "mamba": False},
    "prompt+adapter": {"mamba": False},
    "all": {},
    "bidirectional": {"bidirectional": True, "frozen": False},
}


def build(modalities: tuple[Modality, ...] = MODALITIES, **config: Any) -> MambaProNet:
    torch.manual_seed(0)
    options = MambaProConfig(**{"encoder": TINY, "dt_rank": 2, "d_state": 4, **config})
    net = METHOD.build(options, DataInfo(4, modalities, *SIZE, "none", cameras=3))
    # Prompts start at zero, where much is equal that is not.
    for name, parameter in net.named_parameters():
        if ".prompts." in name:
            torch.nn.init.normal_(parameter)
    return net


def batch(modalities: tuple[Modality, ...] = MODALITIES, n: int = 4) -> Batch:
    return without_cameras(modalities, n)._replace(camids=torch.arange(n) % 3)


@pytest.mark.parametrize(
    ("name", "millions"),
    [("fine_tune", 86.14), ("adapter", 28.34), ("prompt", 28.48), ("prompt+adapter", 56.82)],
)
def test_trained_parameters_are_the_papers_of_the_encoder(name: str, millions: float) -> None:
    """Of the encoder, as its table counts them; the whole as the specification does."""
    with torch.device("meta"):
        about = DataInfo(6, MODALITIES, 256, 128, "none", cameras=4)
        net = METHOD.build(MambaProConfig(**SWITCHES[name]), about)
    parts = (net.backbone.encoder, net.additions)
    trained = sum(p.numel() for m in parts for p in m.parameters() if p.requires_grad)
    # The first block's transfer, to which nothing is carried, is counted there.
    idle = sum(p.numel() for p in net.additions[0].transfer.parameters())
    counted = trained + (idle if "prompt" in name else 0)
    assert counted / 1e6 == pytest.approx(millions, abs=6e-3)


def test_size_is_the_authors() -> None:
    with torch.device("meta"):
        about = DataInfo(6, MODALITIES, 256, 128, "none", cameras=4)
        net = METHOD.build(MambaProConfig(), about)
    assert sum(p.numel() for p in net.parameters()) == 160_347_136
    trained = sum(p.numel() for p in net.parameters() if p.requires_grad)
    # Theirs leave trainable what has no part: a transfer, and a neck and classifier with a shift.
    transfer = sum(p.numel() for p in net.additions[0].transfer.parameters())
    idle = transfer + 512 + 6 * 512
    assert trained + idle == 74_203_136


@pytest.mark.parametrize("count", [2, 3])
def test_a_block_with_prompts_by_hand(count: int) -> None:
    modalities = MODALITIES[:count]
    net = build(modalities)
    block, addition = net.backbone.encoder.blocks[1], net.additions[1]
    tokens, carried = torch.randn(count * 3, 9, 16), torch.randn(count * 3, 4, 16)
    with torch.no_grad():
        out, left = addition(block, tokens, carried)
        for i, own in enumerate(modalities):
            for j in range(3):
                row, groups = i * 3 + j, []
                for m in modalities:
                    prompt = addition.prompts[m]
                    if m == own:
                        groups.append(prompt + carried[row] + addition.transfer(carried[row]))
                    else:
                        groups.append(prompt + addition.guests[m](prompt))
                x = torch.cat([tokens[row], *groups])[None]
                x = x + block.attn(block.norm1(x))
                x = x + block.mlp(block.norm2(x)) + addition.beside(x)
                torch.testing.assert_close(out[row], x[0, :9])
                torch.testing.assert_close(left[row], x[0, 9:].view(count, 4, 16).mean(0))


def test_without_prompts_nothing_is_carried() -> None:
    addition = Addition(MODALITIES, 16, MambaProConfig(prompt=False), first=False)
    block = build().backbone.encoder.blocks[0]
    tokens, carried = addition(block, torch.randn(3, 5, 16), None)
    assert tokens.shape == (3, 5, 16) and carried is None


@pytest.mark.parametrize("both_ways", [False, True])
@pytest.mark.parametrize("kind", ["intra", "inter"])
def test_mixing_by_hand(kind: Any, both_ways: bool) -> None:
    torch.manual_seed(0)
    config = SMALL.model_copy(update={"bidirectional": both_ways})
    layer = Mixing(kind, MODALITIES, 8, (3, 2), config).eval()
    patches: dict[Modality, Tensor] = {m: torch.randn(2, 6, 8) for m in MODALITIES}
    with torch.no_grad():
        found = layer(patches)
        inside, gates = [], []
        for m, tokens in patches.items():
            x, z = layer.enter[m](tokens).split(16, -1)
            on_grid = x.transpose(1, 2).reshape(2, 16, 3, 2)
            near = functional.silu(layer.near[m](on_grid)).reshape(2, 16, 6).transpose(1, 2)
            inside.append(near)
            gates.append(functional.silu(z))
        names: list[str] = list(MODALITIES) if kind == "intra" else ["joined"]
        sequences = inside if kind == "intra" else [torch.cat(inside, 1)]
        read = []
        for name, x in zip(names, sequences, strict=True):
            y = layer.forth[name](x)
            if layer.back is not None:
                y = y + layer.back[name](x.flip(1)).flip(1)
            read.append(y)
        want = layer.leave(torch.cat(read, 1) * torch.cat(gates, 1))
        for i, (m, tokens) in enumerate(patches.items()):
            torch.testing.assert_close(found[m], tokens + want[:, 6 * i : 6 * i + 6])


def test_a_state_space_looks_back_alone() -> None:
    torch.manual_seed(0)
    layer, tokens = StateSpace(8, SMALL), torch.randn(1, 40, 8)
    changed = tokens.clone()
    changed[:, 35] += 1
    with torch.no_grad():
        same = (layer(tokens) == layer(changed))[0].all(1)
    assert same[:35].all() and not same[35:].any()
    decay = torch.arange(1.0, 5).log().expand(8, 4)
    torch.testing.assert_close(layer.decay_log.detach(), decay)


@pytest.mark.parametrize("supervision", ["joint", "each"])
@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("name", SWITCHES)
def test_every_switch_with_any_modalities(name: str, count: int, supervision: str) -> None:
    modalities = MODALITIES[-count:]
    net = build(modalities, supervision=supervision, **SWITCHES[name]).train()
    terms = METHOD.loss(net, batch(modalities))
    pairs = {"ori"} if supervision == "joint" else set(modalities)
    pairs |= {"fuse"} if net.config.mamba else set()
    assert set(terms) == {f"{kind}_{pair}" for kind in ("id", "triplet") for pair in pairs}
    torch.stack(list(terms.values())).sum().backward()
    idle = {k for k, p in net.named_parameters() if p.requires_grad and p.grad is None}
    assert idle == set(), "what has no part is not trained"
    frozen = not any(p.requires_grad for p in net.backbone.encoder.parameters())
    assert frozen == net.config.frozen
    assert METHOD.embed(net.eval(), batch(modalities)).shape == (4, 16 * count)


def test_blocks_computed_again_give_the_same_gradients() -> None:
    found = []
    for recompute in (False, True):
        net = build(recompute=recompute).train()
        torch.stack(list(METHOD.loss(net, batch()).values())).sum().backward()
        found.append({k: p.grad for k, p in net.named_parameters() if p.grad is not None})
    assert found[0].keys() == found[1].keys()
    assert all(torch.equal(g, found[1][k]) for k, g in found[0].items())


def test_one_neck_for_all_modalities_moves_with_each() -> None:
    net = build(supervision="each").train()
    METHOD.loss(net, batch())
    counts = {k: int(n.norm.num_batches_tracked) for k, n in net.heads.necks.items()}
    assert counts == {"ori": 0, "each": 3, "fuse": 1}


def test_an_absent_modality_is_grey_with_its_camera() -> None:
    net, given = build().eval(), batch()
    grey = given._replace(images=given.images | {"TI": torch.zeros(4, 3, *SIZE)})
    partly = given._replace(images={m: given.images[m] for m in ("RGB", "NI")})
    torch.testing.assert_close(METHOD.embed(net, partly), METHOD.embed(net, grey))


@pytest.mark.parametrize("bidirectional", [False, True])
def test_the_authors_names_load_whole(bidirectional: bool) -> None:
    net = build(bidirectional=bidirectional)
    theirs = official(net)
    assert "AAM.ma_block.1.SSM_inter.SSM_2_f.dt_proj.bias" in theirs
    ours = METHOD.import_state({"state_dict": {f"module.{k}": v for k, v in theirs.items()}})
    assert ours.keys() == net.state_dict().keys()
    assert all(torch.equal(ours[k], v) for k, v in net.state_dict().items())
    with pytest.raises(CheckpointError, match="is MFRNet's, not MambaPro's"):
        METHOD.import_state({"BACKBONE.base.gfmoe.experts.conv_1.bias": torch.zeros(1)})
    with pytest.raises(CheckpointError, match=r"no counterpart for the parameter 'AAM\.old'"):
        METHOD.import_state(theirs | {"AAM.old": torch.zeros(1)})


@pytest.mark.parametrize(
    ("name", "batch_of", "epochs", "warm_up"),
    [("rgbnt201", (16, 4), 60, 10), ("rgbnt100", (8, 16), 30, 5), ("msvr310", (16, 4), 60, 10)],
)
def test_official_recipes_are_the_authors_configurations(
    name: str, batch_of: tuple[int, int], epochs: int, warm_up: int
) -> None:
    recipe, config = resolve(INFO, name, name, "full")
    assert recipe.track == "official" and recipe.epochs == epochs
    assert (recipe.sampler.identities, recipe.sampler.instances) == batch_of
    assert (recipe.schedule.warmup_epochs, recipe.schedule.noise) == (warm_up, "none")
    assert recipe.schedule.warmup_start == 0.01
    assert isinstance(config, MambaProConfig) and config.frozen
    assert config.supervision == ("joint" if name == "rgbnt201" else "each")
    for frozen in (True, False):
        net = build(frozen=frozen, encoder_rate=config.encoder_rate)
        groups = make_optimiser(recipe.optimiser, net, METHOD.lr_scales(net)).param_groups
        rates = {id(p): g["lr"] for g in groups for p in g["params"]}
        assert rates.get(id(net.backbone.encoder.proj), 0.0) == pytest.approx(
            0.0 if frozen else 5e-6
        )
        wanted: list[tuple[Any, float]] = [
            (net.backbone.camera_embedding, 3.5e-4),
            (net.additions[0].prompts["NI"], 3.5e-4),
            (net.additions[1].beside[0].bias, 7e-4),
            (net.aggregation.blocks[0]["intra"].forth["TI"].decay_log, 3.5e-4),
            (net.aggregation.blocks[0]["inter"].forth["joined"].step.bias, 7e-4),
        ]
        for parameter, rate in wanted:
            assert rates[id(parameter)] == pytest.approx(rate)


def test_fast_mode_gives_finite_terms_and_gradients() -> None:
    net = build().train()
    with torch.autocast("cpu", torch.bfloat16):
        terms = METHOD.loss(net, batch())
    torch.stack([t.float() for t in terms.values()]).sum().backward()
    assert all(torch.isfinite(t) for t in terms.values())
    assert all(torch.isfinite(p.grad).all() for p in net.parameters() if p.grad is not None)


def test_the_record_says_which_scan_it_was(harness: Harness, drawn: Path) -> None:
    words = ["run", "--method", "mambapro", "--recipe", "smoke", "--dataset", drawn, "--json"]
    small = {f"config.encoder.{k}": v for k, v in TINY.items()}
    small |= {"input.height": 64, "input.width": 32, "epochs": 1, "config.dt_rank": 2}
    small |= {"sampler.identities": 2, "sampler.instances": 2}
    done = harness(*words, *[w for k, v in small.items() for w in ("--set", f"{k}={v}")])
    assert done.code == 0, done.err
    record = json.loads(Path(done.json["record"]).read_text())
    said = record["environment"]["notes"]["selective_scan"]
    assert said.startswith("plain: mamba_ssm "), said
