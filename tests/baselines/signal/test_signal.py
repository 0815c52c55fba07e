"""Signal beyond the golden cases: size, selection and alignment by plain loops, switches, names."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from baselines.shared.clip_heads import Heads
from baselines.signal.alignment import Sampling, patch_loss, volume_loss, volumes
from baselines.signal.config import SignalConfig
from baselines.signal.info import INFO
from baselines.signal.interaction import Interaction, PatchSelection
from baselines.signal.method import Signal
from baselines.signal.model import SignalNet
from harness.base.errors import CheckpointError, RecipeError
from harness.spec.method import Batch, DataInfo
from harness.spec.modality import MODALITIES, Modality
from harness.spec.resolve import resolve
from harness.training.optimiser import make_optimiser
from tests.baselines.clip_names import PARTS
from tests.batches import batch as without_cameras

METHOD = Signal()
SIZE = (64, 32)
TINY = {"depth": 1, "width": 16, "heads": 2, "patch": 4, "out": 16}
SWITCHES = {
    "baseline": {"sim": False, "gam": False, "lam": False},
    "sim": {"gam": False, "lam": False},
    "sim+gam": {"lam": False},
    "all": {},
}


def build(modalities: tuple[Modality, ...] = MODALITIES, **config: Any) -> SignalNet:
    torch.manual_seed(0)
    options = SignalConfig(**{"encoder": TINY, "stride": 4, "top_k": 20, **config})
    return METHOD.build(options, DataInfo(4, modalities, *SIZE, "none", cameras=3))


def batch(modalities: tuple[Modality, ...] = MODALITIES, n: int = 4) -> Batch:
    return without_cameras(modalities, n)._replace(camids=torch.arange(n) % 3)


@pytest.mark.parametrize(
    ("name", "count", "gflops"),
    [
        ("baseline", 86_407_680, 68.34),
        ("sim", 89_562_624, 68.96),
        ("sim+gam", 91_166_209, 68.96),
        ("all", 91_166_209, 68.96),
    ],
)
def test_size_and_cost_are_the_authors(name: str, count: int, gflops: float) -> None:
    """They leave the layers of the selection, and those of LAM without it, trainable and idle."""
    with torch.device("meta"):
        about = DataInfo(171, MODALITIES, 256, 128, "none", cameras=4)
        net = METHOD.build(SignalConfig(**SWITCHES[name]), about).eval()
        images: dict[Modality, Tensor] = {m: torch.empty(1, 3, 256, 128) for m in MODALITIES}
        with torch.no_grad(), FlopCounterMode(display=False) as counter:
            net(images, torch.zeros(1, dtype=torch.int64))
    fixed = [neck.norm.bias for neck in net.heads.necks.values()]
    assert sum(p.numel() for p in net.parameters()) - sum(b.numel() for b in fixed) == count
    assert counter.get_total_flops() / 1e9 == pytest.approx(gflops, abs=0.01)
    idle = {k for k, p in net.named_parameters() if not p.requires_grad}
    idle -= {k for k in idle if k.endswith("norm.bias")}
    assert all(k.startswith(("sim.selection.", "lam.")) for k in idle)
    assert any(k.startswith("lam.") for k in idle) == (name == "sim+gam")


@pytest.mark.parametrize("supervision", ["joint", "each"])
@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("name", SWITCHES)
def test_every_switch_with_any_modalities(name: str, count: int, supervision: str) -> None:
    modalities = MODALITIES[-count:]
    net = build(modalities, supervision=supervision, **SWITCHES[name])
    terms = METHOD.loss(net.train(), batch(modalities))
    pairs = {"ori"} if supervision == "joint" else set(modalities)
    pairs |= {"sim"} if net.sim else set()
    want = {f"{kind}_{pair}" for kind in ("id", "triplet") for pair in pairs}
    if count > 1:
        want |= {"sim+gam": {"gam"}, "all": {"gam", "lam"}}.get(name, set())
    assert set(terms) == want
    assert all(torch.isfinite(t) for t in terms.values())
    found = METHOD.embed(net.eval(), batch(modalities))
    assert found.shape == (4, 16 * count * (2 if net.sim else 1))


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10**6), count=st.integers(1, 3), length=st.integers(1, 9), data=st.data()
)
def test_selection_against_loops(seed: int, count: int, length: int, data: Any) -> None:
    top_k = data.draw(st.integers(1, length))
    torch.manual_seed(seed)
    layer = PatchSelection(8, top_k)
    classes, patches = torch.randn(2, count, 8), torch.randn(2, count, length, 8)
    kept = layer(classes, patches)
    with torch.no_grad():
        for i in range(2):
            want = [set() for _ in range(count)]
            for m in range(count):
                scores = [float(classes[i, m] @ patches[i, m, x]) for x in range(length)]
                want[m] |= set(sorted(range(length), key=lambda x: -scores[x])[:top_k])
            for m in range(count):
                query = layer.query(classes[i, m])
                others = [
                    (float(query @ layer.key(patches[i, o, x])), o, x)
                    for o in range(count)
                    if o != m
                    for x in range(length)
                ]
                for _, o, x in sorted(others, reverse=True)[: 2 * top_k]:
                    want[o].add(x)
            found = [set(kept[i, m].nonzero().flatten().tolist()) for m in range(count)]
            assert found == want


def test_patches_that_are_not_kept_stay_as_zeros() -> None:
    torch.manual_seed(0)
    layer = Interaction(16, 1)
    tokens: dict[Modality, Tensor] = {m: torch.randn(2, 7, 16) for m in MODALITIES}
    every = torch.stack(list(tokens.values()), 1)
    kept = layer.selection(every[:, :, 0], every[:, :, 1:])
    assert 0 < int(kept.sum()) < kept.numel()
    masked = {
        m: torch.cat([t[:, :1], t[:, 1:] * kept[:, i, :, None]], 1)
        for i, (m, t) in enumerate(tokens.items())
    }
    layer.selection.forward = lambda *_: torch.ones_like(kept)  # type: ignore[method-assign]
    want = layer(masked)
    layer.selection.forward = lambda *_: kept  # type: ignore[method-assign]
    torch.testing.assert_close(layer(tokens), want)


def test_no_step_moves_the_layers_that_choose() -> None:
    net = build().train()
    before = {k: v.clone() for k, v in net.sim.selection.state_dict().items()}
    recipe, _ = resolve(INFO, "rgbnt201", "rgbnt201", "full")
    optimiser = make_optimiser(recipe.optimiser, net, METHOD.lr_scales(net))
    torch.stack(list(METHOD.loss(net, batch()).values())).sum().backward()
    optimiser.step()
    assert all(torch.equal(v, before[k]) for k, v in net.sim.selection.state_dict().items())


@pytest.mark.parametrize("others", [1, 2])
def test_volumes_against_loops(others: int) -> None:
    torch.manual_seed(0)
    rows = [functional.normalize(torch.randn(3, 8).double()) for _ in range(1 + others)]
    found = volumes(rows[0], rows[1:])
    for i in range(3):
        for j in range(3):
            vectors = torch.stack([rows[0][i], *(r[j] for r in rows[1:])])
            want = math.sqrt(abs(float(torch.linalg.det(vectors @ vectors.T))))
            assert float(found[i, j]) == pytest.approx(want, abs=1e-12)


def test_alignment_sees_direction_alone_and_prefers_partners() -> None:
    torch.manual_seed(0)
    same = torch.randn(4, 8)
    near: dict[Modality, Tensor] = {m: same + 0.1 * torch.randn(4, 8) for m in MODALITIES}
    far = near | {"NI": near["NI"].flip(0), "TI": near["TI"].flip(0)}
    heat = torch.tensor(0.07)
    assert volume_loss(near, heat) < volume_loss(far, heat)
    longer: dict[Modality, Tensor] = {m: 3 * v for m, v in near.items()}
    torch.testing.assert_close(volume_loss(longer, heat), volume_loss(near, heat))
    assert volume_loss({"RGB": same}, heat) == 0


def test_two_grey_images_give_finite_gradients() -> None:
    vectors = {m: torch.randn(3, 8, requires_grad=True) for m in MODALITIES}
    alike = vectors["NI"]
    volume_loss({"RGB": vectors["RGB"], "NI": alike, "TI": alike}, torch.tensor(0.07)).backward()
    assert torch.isfinite(alike.grad).all()
    exact = torch.eye(3, requires_grad=True)
    volumes(exact, [exact, exact]).sum().backward()
    assert torch.isfinite(exact.grad).all()


@pytest.mark.parametrize("grid", [(16, 8), (8, 16)])
def test_sampling_against_loops(grid: tuple[int, int]) -> None:
    torch.manual_seed(0)
    layer, patches = Sampling(4, grid), torch.randn(1, 4, *grid)
    torch.nn.init.normal_(layer.offset[4].weight)
    with torch.no_grad():
        found = layer(patches)
        offset = layer.offset(layer.query(patches))[0, 0].tanh()
    rows, columns = grid[0] // 4, grid[1] // 4
    assert found.shape == (1, 4, rows, columns)
    for i in range(rows):
        for j in range(columns):
            y = (i + 0.5) / (rows - 1) * 2 - 1 + 2 * float(offset[i, j]) / (rows - 1)
            x = (j + 0.5) / (columns - 1) * 2 - 1 + 2 * float(offset[i, j]) / (columns - 1)
            y, x = (min(max(v, -1.0), 1.0) for v in (y, x))
            down, across = (y + 1) / 2 * (grid[0] - 1), (x + 1) / 2 * (grid[1] - 1)
            want = torch.zeros(4)
            for a in (math.floor(down), math.floor(down) + 1):
                for b in (math.floor(across), math.floor(across) + 1):
                    share = max(0.0, 1 - abs(down - a)) * max(0.0, 1 - abs(across - b))
                    if share:
                        want += share * patches[0, :, a, b]
            torch.testing.assert_close(found[0, :, i, j], want, atol=1e-5, rtol=1e-4)


def test_patches_are_compared_pair_by_pair() -> None:
    maps: dict[Modality, Tensor] = {
        m: torch.full((2, 3, 1, 1), i) for i, m in enumerate(MODALITIES, 1)
    }
    maps = {m: v.float() for m, v in maps.items()}
    assert float(patch_loss(maps)) == pytest.approx((1 + 4 + 1) / 3)


def test_an_absent_modality_is_grey_with_its_camera() -> None:
    net, shown = build().eval(), batch()
    grey = shown._replace(images=shown.images | {"TI": torch.zeros(4, 3, *SIZE)})
    partly = shown._replace(images={m: shown.images[m] for m in ("RGB", "NI")})
    torch.testing.assert_close(METHOD.embed(net, partly), METHOD.embed(net, grey))


def test_the_authors_names_load_whole() -> None:
    net = build(supervision="each")
    blocks = (
        *PARTS,
        (".blocks.", ".transformer.resblocks."),
    )
    rest = (
        ("heads.necks.sim.norm", "bottleneck_var"),
        ("heads.necks.sim.classifier", "classifier_var"),
        *(
            (f"heads.necks.{m}.norm", f"bottleneck_{c}")
            for m, c in zip(MODALITIES, "rnt", strict=True)
        ),
        *(
            (f"heads.necks.{m}.classifier", f"classifier_{c}")
            for m, c in zip(MODALITIES, "rnt", strict=True)
        ),
        ("sim.selection.query", "SIM.token_selection.W_q"),
        ("sim.selection.key", "SIM.token_selection.W_k"),
        ("sim.selection.value", "SIM.token_selection.W_v"),
        ("sim.attention", "SIM.modal_interactive.cross_attn"),
        ("sim.mlp", "SIM.modal_interactive.ffn"),
        ("sim.norm", "SIM.modal_interactive.norm"),
        ("lam.RGB.", "AlignM.DAS_r."),
        ("lam.NI.", "AlignM.DAS_n."),
        ("lam.TI.", "AlignM.DAS_t."),
        (".offset.", ".conv_offset."),
        (".query.", ".proj_q."),
        ("temperature", "AlignM.contra_temp"),
    )
    theirs = {}
    for key, value in net.state_dict().items():
        name = key
        for ours, official in blocks if key.startswith("backbone.") else rest:
            name = name.replace(ours, official)
        name = name.replace("backbone.encoder.", "clip_vision_encoder.base.")
        name = name.replace("backbone.camera_embedding", "clip_vision_encoder.cv_embed")
        theirs[name] = value[:, None] if name.endswith("cv_embed") else value
    ours = METHOD.import_state(theirs)
    assert ours.keys() == net.state_dict().keys()
    assert all(torch.equal(ours[k], v) for k, v in net.state_dict().items())
    with pytest.raises(CheckpointError, match="is DeMo's, not Signal's"):
        METHOD.import_state({"BACKBONE.base.class_embedding": torch.zeros(1)})
    with pytest.raises(CheckpointError, match=r"no counterpart for the parameter 'AlignM\.old'"):
        METHOD.import_state(theirs | {"AlignM.old": torch.zeros(1)})


def test_too_few_patches_and_odd_switches_are_refused() -> None:
    with pytest.raises(RecipeError, match="top_k = 200 of 16x8 patches"):
        build(top_k=200)
    with pytest.raises(RecipeError, match="4x2 patches, of which LAM samples"):
        build(encoder={**TINY, "patch": 16}, stride=16, top_k=2)
    for change, match in (
        ("sim=false", "gam has no loss without sim"),
        ("gam=false", "lam comes on top of gam"),
    ):
        with pytest.raises(RecipeError, match=match):
            resolve(INFO, "rgbnt201", "rgbnt201", "full", [change])


@pytest.mark.parametrize(
    ("name", "top_k", "weights", "base", "classifiers"),
    [
        ("rgbnt201", 80, (0.2, 0.2), 3.5e-4, 3.5e-4),
        ("rgbnt100", 112, (0.1, 0.1), 7e-4, 7e-4),
        ("msvr310", 64, (0.2, 0.01), 5e-6, 5e-4),
    ],
)
def test_official_recipes_are_the_authors_configurations(
    name: str, top_k: int, weights: tuple[float, float], base: float, classifiers: float
) -> None:
    recipe, config = resolve(INFO, name, name, "full")
    assert isinstance(config, SignalConfig) and recipe.track == "official"
    assert (config.top_k, config.gam_weight, config.lam_weight) == (top_k, *weights)
    net = build(encoder_rate=config.encoder_rate, classifier_rate=config.classifier_rate)
    groups = make_optimiser(recipe.optimiser, net, METHOD.lr_scales(net)).param_groups
    rates = {id(p): g["lr"] for g in groups for p in g["params"]}
    assert isinstance(net.heads, Heads)
    for parameter, rate in (
        (net.backbone.encoder.proj, 5e-6),
        (net.backbone.encoder.ln_post.bias, 5e-6),
        (net.backbone.camera_embedding, base),
        (net.temperature, base),
        (net.sim.norm1.bias, 2 * base),
        (net.heads.necks["sim"].classifier.weight, classifiers),
        (net.heads.necks["sim"].norm.weight, base),
    ):
        assert rates[id(parameter)] == pytest.approx(rate)
    stepped = name == "msvr310"
    assert recipe.schedule.kind == ("steps" if stepped else "cosine_to_floor")
    assert recipe.schedule.milestones == ((19, 39) if stepped else ())


def test_fast_mode_gives_finite_terms_and_gradients() -> None:
    net, shown = build().train(), batch()
    with torch.autocast("cpu", torch.bfloat16):
        terms = METHOD.loss(net, shown)
    torch.stack([t.float() for t in terms.values()]).sum().backward()
    assert all(torch.isfinite(t) for t in terms.values())
    assert all(torch.isfinite(p.grad).all() for p in net.parameters() if p.grad is not None)
