"""DeMo beyond the golden cases: sizes, switches, fewer modalities, checkpoints, recipes, a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from baselines.demo.config import DeMoConfig
from baselines.demo.decoupling import AttentionExperts, HierarchicalDecoupling, sets_of
from baselines.demo.info import INFO
from baselines.demo.method import DeMo
from baselines.demo.model import DeMoNet
from baselines.shared.losses import batch_hard_triplet
from harness.base.errors import CheckpointError, PluginError, RecipeError
from harness.spec.method import Batch, DataInfo
from harness.spec.modality import MODALITIES, Modality
from harness.spec.resolve import resolve
from harness.training.optimiser import make_optimiser
from tests.baselines.clip_names import PARTS
from tests.batches import batch as without_cameras
from tests.conftest import Harness

METHOD = DeMo()
SIZE = (64, 32)
TINY = {"depth": 1, "width": 16, "heads": 2, "patch": 16, "out": 16}
SWITCHES = {
    "baseline": {"pife": False, "hdm": False, "atmoe": False},
    "pife": {"hdm": False, "atmoe": False},
    "pife+hdm": {"atmoe": False},
    "hdm+atmoe": {"pife": False},
    "all": {},
}


def build(
    modalities: tuple[Modality, ...] = MODALITIES, cameras: int = 3, **config: Any
) -> DeMoNet:
    torch.manual_seed(0)
    options = DeMoConfig(**{"encoder": TINY, **config})
    return METHOD.build(options, DataInfo(4, modalities, *SIZE, "none", cameras=cameras))


def batch(modalities: tuple[Modality, ...] = MODALITIES, n: int = 4) -> Batch:
    return without_cameras(modalities, n)._replace(camids=torch.arange(n) % 3)


@pytest.mark.parametrize(
    ("name", "millions", "gmacs"),
    [
        ("baseline", 86.408, 34.17),
        ("pife", 87.988, 34.17),
        ("pife+hdm", 95.963, 34.99),
        ("hdm+atmoe", 97.212, 34.99),
        ("all", 98.793, 34.99),
    ],
)
def test_size_and_cost_are_the_authors(name: str, millions: float, gmacs: float) -> None:
    """The paper's table of ablations says 86.41, 87.99, 95.96 and 98.79 M."""
    with torch.device("meta"):
        about = DataInfo(171, MODALITIES, 256, 128, "none", cameras=4)
        net = METHOD.build(DeMoConfig(**SWITCHES[name]), about).eval()
        images: dict[Modality, Tensor] = {m: torch.empty(1, 3, 256, 128) for m in MODALITIES}
        with torch.no_grad(), FlopCounterMode(display=False) as counter:
            found = net(images, torch.zeros(1, dtype=torch.int64))
    trained = sum(p.numel() for p in net.parameters() if p.requires_grad)
    assert trained / 1e6 == pytest.approx(millions, abs=6e-4)
    assert counter.get_total_flops() / 2e9 == pytest.approx(gmacs, abs=6e-3)
    assert found.shape[1] == (5120 if net.hdm else 1536)


@pytest.mark.parametrize("supervision", ["joint", "each"])
@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("name", SWITCHES)
def test_every_switch_with_any_modalities(name: str, count: int, supervision: str) -> None:
    modalities = MODALITIES[-count:]
    net = build(modalities, supervision=supervision, **SWITCHES[name])
    terms = METHOD.loss(net.train(), batch(modalities))
    pairs = {"ori"} if supervision == "joint" else set(modalities)
    pairs |= {"moe"} if net.hdm else set()
    assert set(terms) == {f"{kind}_{pair}" for kind in ("id", "triplet") for pair in pairs}
    width = 16 * (count + (2**count - 1 if net.hdm else 0))
    assert METHOD.embed(net.eval(), batch(modalities)).shape == (4, width)


def test_losses_are_those_of_the_features_before_the_necks() -> None:
    options = {"id_weight": 0.5, "triplet_weight": 2.0, "margin": 0.3, "attention_dropout": 0.0}
    net, given = build(**options).train(), batch()
    seen = net(given.images, given.camids)
    terms = METHOD.loss(net, given)
    assert list(seen) == ["moe", "ori"]
    for name, (feature, logits) in seen.items():
        entropy = functional.cross_entropy(logits, given.pids, label_smoothing=0.1)
        torch.testing.assert_close(terms[f"id_{name}"], 0.5 * entropy)
        triplet = batch_hard_triplet(feature, given.pids, 0.3)
        torch.testing.assert_close(terms[f"triplet_{name}"], 2.0 * triplet)


def test_queries_look_at_the_tokens_of_their_modalities_alone() -> None:
    torch.manual_seed(0)
    hdm = HierarchicalDecoupling(MODALITIES, 16, 0.0)
    tokens: dict[Modality, Tensor] = {m: torch.randn(2, 5, 16) for m in MODALITIES}
    found = hdm(tokens)
    assert [set(s) for s in hdm.sets] == [
        {"RGB"},
        {"NI"},
        {"TI"},
        {"RGB", "NI"},
        {"RGB", "TI"},
        {"NI", "TI"},
        {"RGB", "NI", "TI"},
    ]
    changed = hdm(tokens | {"NI": torch.randn(2, 5, 16)})
    for i, one in enumerate(sets_of(MODALITIES)):
        assert torch.equal(found[:, i], changed[:, i]) == ("NI" not in one)


def test_experts_against_a_loop_over_heads_and_sets() -> None:
    torch.manual_seed(0)
    layer = AttentionExperts(7, 16, 4).eval()
    vectors = torch.randn(3, 7, 16)
    with torch.no_grad():
        mixed = layer.query(layer.mix(vectors.reshape(3, -1)))
        want = torch.empty(3, 7, 16)
        for i in range(3):
            for h in range(4):
                part = slice(4 * h, 4 * h + 4)
                scores = torch.stack(
                    [mixed[i, part] @ layer.key(vectors[i, j])[part] / 2 for j in range(7)]
                )
                gate = scores.softmax(0)
                for j in range(7):
                    value = layer.experts[h][j](vectors[i : i + 1, j, part])
                    want[i, j, part] = gate[j] * value[0]
        torch.testing.assert_close(layer(vectors), want.flatten(1))
        torch.testing.assert_close(layer.gates(vectors).sum(-1), torch.ones(3, 4))


def test_an_absent_modality_is_grey_with_its_camera() -> None:
    net, given = build().eval(), batch()
    grey = given._replace(images=given.images | {"TI": torch.zeros(4, 3, *SIZE)})
    partly = given._replace(images={m: given.images[m] for m in ("RGB", "NI")})
    torch.testing.assert_close(METHOD.embed(net, partly), METHOD.embed(net, grey))


def test_the_camera_counts_where_the_data_names_some() -> None:
    net, given = build(cameras=3).eval(), batch()
    torch.nn.init.normal_(net.backbone.camera_embedding)
    other = given._replace(camids=(given.camids + 1) % 3)
    assert not torch.allclose(METHOD.embed(net, given), METHOD.embed(net, other))
    with pytest.raises(PluginError, match="without camera ids"):
        METHOD.embed(net, given._replace(camids=None))
    for plain in (build(cameras=0), build(sie_camera=False)):
        assert plain.backbone.camera_embedding is None
        found = METHOD.embed(plain.eval(), given)
        assert torch.equal(found, METHOD.embed(plain, given._replace(camids=None)))


def test_descriptors_of_length_one_where_asked() -> None:
    plain = METHOD.embed(build().eval(), batch())
    unit = METHOD.embed(build(normalise=True).eval(), batch())
    torch.testing.assert_close(unit, functional.normalize(plain))


def official(net: DeMoNet) -> dict[str, Tensor]:
    """The weights of a network under the authors' names, by the table of the specification."""
    found = {}
    letters = {"RGB": "r", "NI": "n", "TI": "t"}
    for key, value in net.state_dict().items():
        if key == "backbone.camera_embedding":
            found["BACKBONE.cv_embed"] = value[:, None]
            continue
        name = key
        for ours, theirs in (
            ("backbone.encoder.blocks.", "BACKBONE.base.transformer.resblocks."),
            ("backbone.encoder.", "BACKBONE.base."),
            *PARTS,
            ("atmoe.mix.", "generalFusion.moe.gating_network.gate.linear_re."),
            ("atmoe.query.", "generalFusion.moe.gating_network.gate.q_."),
            ("atmoe.key.", "generalFusion.moe.gating_network.gate.k_."),
        ):
            name = name.replace(ours, theirs)
        parts = name.split(".")
        if parts[0] == "pife":
            names = {"RGB": "rgb", "NI": "nir", "TI": "tir"}
            parts[:2] = [f"{names[parts[1]]}_reduce"]
        elif parts[0] == "hdm":
            letters_of = "".join(letters[m] for m in parts[2].split("_"))
            parts[:3] = [
                "generalFusion",
                f"{letters_of}_token" if parts[1] == "queries" else letters_of,
            ]
        elif parts[:2] == ["atmoe", "experts"]:
            parts[:4] = ["generalFusion.moe.experts", parts[2], "expertHead", parts[3], "mlp"]
        elif parts[0] == "heads":
            part = "bottleneck" if parts[3] == "norm" else "classifier"
            of = {"ori": "", "moe": "_moe"}.get(parts[2], f"_{letters.get(parts[2])}")
            parts[:4] = [part + of]
        found[".".join(parts)] = value
    return found


@pytest.mark.parametrize("supervision", ["joint", "each"])
def test_the_authors_checkpoint_loads_whole(supervision: str) -> None:
    net = build(supervision=supervision)
    theirs = official(net)
    assert "generalFusion.rnt_token" in theirs and "bottleneck_moe.running_var" in theirs
    for state in (theirs, {"state_dict": {f"module.{k}": v for k, v in theirs.items()}}):
        ours = METHOD.import_state(state)
        assert ours.keys() == net.state_dict().keys()
        assert all(torch.equal(ours[k], v) for k, v in net.state_dict().items())
    own = dict(net.state_dict())
    assert METHOD.import_state(own) == own


@pytest.mark.parametrize(
    ("keys", "match"),
    [
        (["clip_vision_encoder.base.proj"], r"is Signal's, not DeMo's"),
        (["BACKBONE.base.visual.proj"], r"is IDEA's"),
        (
            [
                "BACKBONE.base.class_embedding",
                "BACKBONE.base.transformer.resblocks.0.adapter_ffn.0.bias",
            ],
            r"is MambaPro's",
        ),
        (["backbone.0.conv1.weight"], r"1 parameters, such as 'backbone\.0\.conv1\.weight'"),
        (["BACKBONE.base.class_embedding", "generalFusion.gate.weight"], r"generalFusion\.gate"),
    ],
)
def test_other_checkpoints_are_refused_in_a_sentence(keys: list[str], match: str) -> None:
    with pytest.raises(CheckpointError, match=match):
        METHOD.import_state({k: torch.zeros(1) for k in keys})


def test_evaluate_takes_the_authors_checkpoint(
    harness: Harness, drawn: Path, tmp_path: Path
) -> None:
    about = DataInfo(5, MODALITIES, *SIZE, "none", cameras=2)
    torch.manual_seed(0)
    net = METHOD.build(DeMoConfig(encoder=TINY), about)  # type: ignore[arg-type]
    path = tmp_path / "DeMobest.pth"
    torch.save(official(net), path)
    words = ["evaluate", "--checkpoint", path, "--method", "demo", "--dataset", drawn]
    words += ["--recipe", "smoke", "--set", f"input.height={SIZE[0]}", "--json"]
    words += ["--set", f"input.width={SIZE[1]}"]
    words += [w for k, v in TINY.items() for w in ("--set", f"config.encoder.{k}={v}")]
    done = harness(*words)
    assert done.code == 0, done.err
    torch.save(official(net) | {"classifier.weight": torch.zeros(9, 48)}, path)
    refused = harness(*words)
    assert refused.code == 2
    assert "heads.necks.ori.classifier.weight (9x48 in the file, 5x48" in refused.error["seen"]
    assert "--classes" in refused.error["do"]


@pytest.mark.parametrize(
    ("name", "size", "batch_of", "epochs", "warm_up"),
    [
        ("rgbnt201", (256, 128), (8, 8), 50, 10),
        ("rgbnt100", (128, 256), (8, 16), 30, 5),
        ("msvr310", (128, 256), (16, 4), 50, 10),
    ],
)
def test_official_recipes_are_the_authors_configurations(
    name: str, size: tuple[int, int], batch_of: tuple[int, int], epochs: int, warm_up: int
) -> None:
    recipe, config = resolve(INFO, name, name, "full")
    assert recipe.track == "official" and recipe.epochs == epochs
    assert (recipe.input.height, recipe.input.width) == size
    assert (recipe.sampler.identities, recipe.sampler.instances) == batch_of
    assert recipe.schedule.warmup_epochs == warm_up and recipe.schedule.noise == "timm-42"
    person = name == "rgbnt201"
    assert config.supervision == ("joint" if person else "each")  # type: ignore[attr-defined]
    assert config.heads == (4 if person else 8)  # type: ignore[attr-defined]
    net = build()
    groups = make_optimiser(recipe.optimiser, net, METHOD.lr_scales(net)).param_groups
    rates = {id(p): g["lr"] for g in groups for p in g["params"]}
    encoder = net.backbone.encoder
    assert rates[id(encoder.proj)] == rates[id(encoder.conv1.weight)] == pytest.approx(5e-6)
    assert rates[id(encoder.ln_post.bias)] == pytest.approx(5e-6)
    assert rates[id(net.backbone.camera_embedding)] == pytest.approx(3.5e-4)
    assert rates[id(net.pife["RGB"][1].bias)] == pytest.approx(7e-4)


def test_options_that_do_not_fit_are_refused() -> None:
    for change, match in (
        ("hdm=false", "atmoe weighs what hdm finds"),
        ("config.heads=5", "no multiple of heads 5"),
        ("config.encoder.width=100", "width 100 is no multiple of heads 12"),
    ):
        with pytest.raises(RecipeError, match=match):
            resolve(INFO, "rgbnt201", "rgbnt201", "full", [change])


def test_fast_mode_gives_finite_terms_and_gradients() -> None:
    net, shown = build().train(), batch()
    with torch.autocast("cpu", torch.bfloat16):
        terms = METHOD.loss(net, shown)
    torch.stack([t.float() for t in terms.values()]).sum().backward()
    assert all(torch.isfinite(t) for t in terms.values())
    assert all(torch.isfinite(p.grad).all() for p in net.parameters() if p.grad is not None)
