"""MDReID beyond the golden cases: size, tokens, pairs, absent modalities, names."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from baselines.mdreid.config import MDReIDConfig
from baselines.mdreid.info import INFO
from baselines.mdreid.method import MDReID
from baselines.mdreid.model import MDReIDNet
from baselines.mdreid.pairing import chosen
from baselines.shared.clip_visual import ClipVisual
from baselines.shared.losses import batch_hard_triplet
from harness.base.errors import CheckpointError, RecipeError
from harness.spec.method import Batch, DataInfo
from harness.spec.modality import MODALITIES, Modality, in_order
from harness.spec.resolve import resolve
from harness.training.optimiser import make_optimiser
from tests.baselines.clip_names import PARTS
from tests.batches import batch as without_cameras

METHOD = MDReID()
TINY = {"depth": 1, "width": 16, "heads": 2, "patch": 16, "out": 8}
SETS: list[tuple[Modality, ...]] = [
    ("RGB",), ("NI",), ("TI",), ("RGB", "NI"), ("RGB", "TI"), ("NI", "TI"), MODALITIES,
]  # fmt: skip
SWITCHES = {
    "own": {"shared_token": False, "orthogonality": False, "enhancement": False},
    "shared": {"orthogonality": False, "enhancement": False},
    "orthogonality": {"enhancement": False},
    "all": {},
}


def build(modalities: tuple[Modality, ...] = MODALITIES, **config: Any) -> MDReIDNet:
    torch.manual_seed(0)
    options = MDReIDConfig(**{"encoder": TINY, "stride": 16, **config})
    net = METHOD.build(options, DataInfo(4, modalities, 64, 32, "none", cameras=3))
    if net.last_position is not None:
        torch.nn.init.normal_(net.last_position)
    return net


def batch(modalities: tuple[Modality, ...] = MODALITIES, n: int = 4) -> Batch:
    return without_cameras(modalities, n)._replace(camids=torch.arange(n) % 3)


def test_size_and_cost_are_the_authors() -> None:
    """Their three heads of both tokens together are left out: no gradient reaches them."""
    with torch.device("meta"):
        net = METHOD.build(MDReIDConfig(), DataInfo(6, MODALITIES, 256, 128, "none", cameras=4))
        images: dict[Modality, Tensor] = {m: torch.empty(1, 3, 256, 128) for m in MODALITIES}
        with torch.no_grad(), FlopCounterMode(display=False) as counter:
            net.eval()(images, torch.zeros(1, dtype=torch.int64))
    idle = 3 * (2 * 1024 + 6 * 1024)
    assert sum(p.numel() for p in net.parameters()) + idle == 86_193_408
    trained = sum(p.numel() for p in net.parameters() if p.requires_grad)
    assert trained + idle - 3 * 1024 == 86_187_264
    assert counter.get_total_flops() / 1e9 == pytest.approx(68.9, abs=0.05)


@pytest.mark.parametrize("supervision", ["joint", "each"])
@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("name", SWITCHES)
def test_every_switch_with_any_modalities(name: str, count: int, supervision: str) -> None:
    modalities = MODALITIES[-count:]
    net = build(modalities, supervision=supervision, **SWITCHES[name])
    terms = METHOD.loss(net.train(), batch(modalities))
    features = {"ori"} if supervision == "joint" else set(modalities)
    features |= set() if name == "own" else {"shared"}
    want = {f"{kind}_{feature}" for kind in ("id", "triplet") for feature in features}
    want |= {"orthogonality": {"orthogonality"}, "all": {"orthogonality", "enhancement"}}.get(
        name, set()
    )
    assert set(terms) == want and all(torch.isfinite(t) for t in terms.values())
    found = METHOD.embed(net.eval(), batch(modalities))
    assert found.shape == (4, 8 * count * (1 if name == "own" else 2))


def test_the_shared_head_counts_three_times_and_every_weight_is_a_factor() -> None:
    given = batch()
    plain = METHOD.loss(build().train(), given)
    out = build().train()(given.images, given.camids)
    triplet = batch_hard_triplet(torch.cat(list(out.shared.values()), 1), given.pids)
    torch.testing.assert_close(plain["triplet_shared"], 3 * triplet)
    weights = {"shared_weight": 6.0, "orthogonality_weight": 3.0, "enhancement_weight": 10.5}
    double = METHOD.loss(build(**weights).train(), given)
    for name, value in plain.items():
        factor = 2 if name in ("orthogonality", "enhancement") or "shared" in name else 1
        torch.testing.assert_close(double[name], factor * value)


def test_two_tokens_are_one_parameter_with_places_of_their_own() -> None:
    """As CLIP's encoder, which has one token, sees it: the second one is a further token."""
    net, given = build(), batch()
    torch.nn.init.normal_(net.backbone.camera_embedding)
    encoder = net.backbone.encoder
    table = torch.cat([encoder.positional_embedding, net.last_position])
    plain = ClipVisual((64, 32), net.config.encoder)
    plain.load_state_dict(
        encoder.state_dict() | {"positional_embedding": table[[0, *range(2, 10)]]}
    )
    shift = net.backbone.camera_embedding[given.camids]
    further = (encoder.class_embedding + table[1]).expand(4, 1, -1)
    found = METHOD.embed(net.eval(), given).unflatten(1, (2, 3, -1))
    for i, m in enumerate(MODALITIES):
        tokens = plain(given.images[m], shift, further)
        torch.testing.assert_close(found[:, 0, i], tokens[:, 0])
        torch.testing.assert_close(found[:, 1, i], tokens[:, -1])
    assert sum(p.shape == (16,) and "embedding" in k for k, p in net.named_parameters()) == 1


def test_published_positions_start_both_tokens_at_the_class() -> None:
    torch.manual_seed(0)
    fresh = METHOD.build(MDReIDConfig(encoder=TINY), DataInfo(4, MODALITIES, 64, 32, "none"))
    torch.manual_seed(0)
    published = ClipVisual((64, 32), fresh.config.encoder).positional_embedding
    table = torch.cat([fresh.backbone.encoder.positional_embedding, fresh.last_position])
    assert torch.equal(table, torch.cat([published[:1], published]))


def test_an_absent_modality_leaves_zeros_and_changes_nothing_else() -> None:
    net, given = build().eval(), batch()
    whole = METHOD.embed(net, given).unflatten(1, (2, 3, -1))
    for kept in SETS[:-1]:
        shown = given._replace(images={m: given.images[m] for m in kept})
        found = METHOD.embed(net, shown).unflatten(1, (2, 3, -1))
        for i, m in enumerate(MODALITIES):
            want = whole[:, :, i] if m in kept else torch.zeros_like(whole[:, :, i])
            torch.testing.assert_close(found[:, :, i], want)


def test_without_the_shared_token_it_is_grey_with_its_camera() -> None:
    net, given = build(**SWITCHES["own"]).eval(), batch()
    grey = given._replace(images=given.images | {"TI": torch.zeros(4, 3, 64, 32)})
    partly = given._replace(images={m: given.images[m] for m in ("RGB", "NI")})
    torch.testing.assert_close(METHOD.embed(net, partly), METHOD.embed(net, grey))
    slots = METHOD.embed(net, partly), METHOD.embed(net, given)
    assert METHOD.pair(net, slots, ("RGB", "NI"), MODALITIES) == slots


@pytest.mark.parametrize(("query", "gallery"), list(permutations(SETS, 2)))
def test_what_meets_what_in_every_pair(
    query: tuple[Modality, ...], gallery: tuple[Modality, ...]
) -> None:
    """Common modalities meet themselves, each side shows all it has, and none that it has not."""
    first, second = chosen(query, gallery)
    common = in_order(set(query) & set(gallery)) if set(query) & set(gallery) else ()
    assert first.own == second.own == common
    assert (
        len(first.shared)
        == len(second.shared)
        == len(common) + max(len(side) - len(common) for side in (query, gallery))
    )
    assert set(first.shared) == set(query) and set(second.shared) == set(gallery)
    met = list(zip(first.shared, second.shared, strict=True))
    assert [(m, m) for m in common] == met[len(met) - len(common) :]
    assert chosen(gallery, query) == (second, first)


@pytest.mark.parametrize("normalise", [False, True])
def test_a_pair_takes_the_vectors_of_both_sides(normalise: bool) -> None:
    net, given = build(normalise=normalise).eval(), batch()
    query, gallery = ("RGB", "NI", "TI"), ("RGB",)
    slots = tuple(
        METHOD.embed(net, given._replace(images={m: given.images[m] for m in side}))
        for side in (query, gallery)
    )
    found = METHOD.pair(net, slots, query, gallery)
    whole = METHOD.embed(build().eval(), given).unflatten(1, (2, 3, -1))
    r, n, t = (whole[:, 1, i] for i in range(3))
    wanted = [torch.cat([whole[:, 0, 0], *s], 1) for s in ((n, t, r), (r, r, r))]
    if normalise:
        wanted = [functional.normalize(w) for w in wanted]
    for ours, want in zip(found, wanted, strict=True):
        torch.testing.assert_close(ours, want)


def official(net: MDReIDNet) -> dict[str, Tensor]:
    """The weights of a network under the authors' names, by the table of the specification."""
    letters = {"RGB": "r", "NI": "n", "TI": "t", "shared": "s"}
    found: dict[str, Tensor] = {}
    for key, value in net.state_dict().items():
        if key == "backbone.camera_embedding":
            found["BACKBONE.cv_embed"] = value[:, None]
            continue
        name = key
        for ours, theirs in (
            ("backbone.encoder.blocks.", "BACKBONE.base.transformer.resblocks."),
            ("backbone.encoder.", "BACKBONE.base."),
            *PARTS,
        ):
            name = name.replace(ours, theirs)
        if key.startswith("heads."):
            _, _, feature, part, tail = key.split(".")
            name = {"norm": "bottleneck", "classifier": "classifier"}[part]
            name += f"_{letters[feature]}.{tail}"
        found[name] = value
    table = (found.pop("BACKBONE.base.positional_embedding"), found.pop("last_position"))
    found["BACKBONE.base.positional_embedding"] = torch.cat(table)
    found["BACKBONE.base.add_image_token"] = found["BACKBONE.base.class_embedding"].clone()
    for idle in ("rs", "ns", "ts"):
        found[f"classifier_{idle}.weight"] = torch.zeros(4, 16)
        found[f"bottleneck_{idle}.weight"] = torch.zeros(16)
    return found


def test_the_authors_checkpoint_loads_whole() -> None:
    net = build()
    theirs = official(net)
    for state in (theirs, {f"module.{k}": v for k, v in theirs.items()}):
        ours = METHOD.import_state(state)
        assert ours.keys() == net.state_dict().keys()
        assert all(torch.equal(ours[k], v) for k, v in net.state_dict().items())
    own = dict(net.state_dict())
    assert METHOD.import_state(own) == own
    apart = theirs | {"BACKBONE.base.add_image_token": torch.ones(16)}
    with pytest.raises(CheckpointError, match="add_image_token of this checkpoint have different"):
        METHOD.import_state(apart)
    with pytest.raises(CheckpointError, match=r"is Signal's, not MDReID's"):
        METHOD.import_state({"clip_vision_encoder.base.proj": torch.zeros(1)})
    with pytest.raises(CheckpointError, match=r"no counterpart for the parameter 'bottleneck_x"):
        METHOD.import_state(theirs | {"bottleneck_x.odd.weight": torch.zeros(1)})


def test_losses_without_their_token_are_refused_before_training() -> None:
    for change in ("enhancement=false", "orthogonality=false"):
        with pytest.raises(RecipeError, match="is about the shared token"):
            resolve(INFO, "rgbnt201", "rgbnt201", "full", ["shared_token=false", change])


@pytest.mark.parametrize(
    ("name", "size", "batch_of", "base"),
    [
        ("rgbnt201", (256, 128), (8, 8), 3.5e-4),
        ("rgbnt100", (128, 256), (8, 8), 1.5e-4),
        ("msvr310", (128, 256), (16, 4), 3.5e-4),
    ],
)
def test_official_recipes_are_the_authors_configurations(
    name: str, size: tuple[int, int], batch_of: tuple[int, int], base: float
) -> None:
    recipe, config = resolve(INFO, name, name, "full")
    assert isinstance(config, MDReIDConfig) and recipe.track == "official"
    assert recipe.epochs == 50 and recipe.schedule.warmup_epochs == 10
    assert (recipe.input.height, recipe.input.width) == size
    assert (recipe.sampler.identities, recipe.sampler.instances) == batch_of
    assert recipe.schedule.noise == "timm-42" and recipe.schedule.kind == "cosine_to_floor"
    net = build(encoder_rate=config.encoder_rate)
    groups = make_optimiser(recipe.optimiser, net, METHOD.lr_scales(net)).param_groups
    rates = {id(p): g["lr"] for g in groups for p in g["params"]}
    encoder = net.backbone.encoder
    for parameter, rate in (
        (encoder.proj, 5e-6),
        (encoder.class_embedding, 5e-6),
        (encoder.ln_post.bias, 5e-6),
        (encoder.positional_embedding, base),
        (net.last_position, base),
        (net.backbone.camera_embedding, base),
        (net.heads.necks["shared"].classifier.weight, base),
    ):
        assert rates[id(parameter)] == pytest.approx(rate)


def test_fast_mode_gives_finite_terms_and_gradients() -> None:
    net, shown = build().train(), batch()
    with torch.autocast("cpu", torch.bfloat16):
        terms = METHOD.loss(net, shown)
    torch.stack([t.float() for t in terms.values()]).sum().backward()
    assert all(torch.isfinite(t) for t in terms.values())
    assert all(torch.isfinite(p.grad).all() for p in net.parameters() if p.grad is not None)
