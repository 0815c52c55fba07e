"""IDEA beyond the golden cases: size, sampling by loops, the text's way, switches, names, rates."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from baselines.idea.aggregation import DeformableAggregation
from baselines.idea.config import IdeaConfig, TextShape
from baselines.idea.info import INFO
from baselines.idea.method import Idea
from baselines.idea.model import IdeaNet
from baselines.idea.text import TextEncoder
from baselines.idea.wording import FIRST_PROMPT, prompt_ids
from harness.base.errors import RecipeError
from harness.spec.method import Batch, DataInfo
from harness.spec.modality import MODALITIES, Modality
from harness.spec.resolve import resolve
from harness.spec.text import END, framed
from harness.training.optimiser import make_optimiser
from tests.batches import batch as plain

METHOD = Idea()
SIZE = (64, 32)
TINY = {"depth": 1, "width": 16, "heads": 2, "patch": 4, "out": 16}
TEXT = {"depth": 1, "width": 16, "heads": 2}


def build(modalities: tuple[Modality, ...] = MODALITIES, **config: Any) -> IdeaNet:
    torch.manual_seed(0)
    options = IdeaConfig(**{"encoder": TINY, "text": TEXT, "stride": 4, **config})
    return METHOD.build(options, DataInfo(4, modalities, *SIZE, "none", cameras=3))


def batch(modalities: tuple[Modality, ...] = MODALITIES, n: int = 4) -> Batch:
    options = IdeaConfig()
    text = {
        m: torch.tensor([framed(range(9 * i, 9 * i + 3), prompt_ids(options, m)) for i in range(n)])
        for m in modalities
    }
    return plain(modalities, n)._replace(camids=torch.arange(n) % 3, text=text)


@pytest.mark.parametrize(
    ("config", "trained", "gflops"),
    [
        ({}, 91.674, 87.17),
        ({"cda": False}, 89.298, None),
        ({"inverse": False}, 89.049, None),
        ({"shared_offsets": False}, 91.693, None),
    ],
)
def test_size_and_cost_are_the_authors(
    config: dict[str, Any], trained: float, gflops: float | None
) -> None:
    with torch.device("meta"):
        about = DataInfo(171, MODALITIES, 256, 128, "none", cameras=4)
        net = METHOD.build(IdeaConfig(**config), about).eval()
        count = sum(p.numel() for p in net.parameters() if p.requires_grad)
        # They train CLIP's temperature, which nothing reads, too.
        assert (count + 1) / 1e6 == pytest.approx(trained, abs=6e-4)
        if gflops is None:
            return
        fixed = [neck.norm.bias for neck in net.heads.necks.values()]
        every = sum(p.numel() for p in net.parameters())
        assert (every - sum(b.numel() for b in fixed)) / 1e6 == pytest.approx(155.10, abs=0.02)
        images: dict[Modality, Tensor] = {m: torch.empty(1, 3, 256, 128) for m in MODALITIES}
        with torch.no_grad(), FlopCounterMode(display=False) as counter:
            net(images, torch.zeros(1, dtype=torch.int64))
    # They project all 77 tokens of a text, where the few that count are enough.
    idle = 3 * (77 - 3) * 2 * 512 * 512 / 1e9
    assert counter.get_total_flops() / 1e9 + idle == pytest.approx(gflops, abs=0.05)


@pytest.mark.parametrize("supervision", ["joint", "each"])
@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize(
    "config",
    [
        {},
        {"cda": False},
        {"inverse": False},
        {"shared_offsets": False},
        {"text_prompts": 0, "prefix": False, "sie_camera": False},
        {"descriptor": "visual"},
        {"descriptor": "tokens", "cda": False, "inverse": False},
    ],
)
def test_every_switch_with_any_modalities(
    config: dict[str, Any], count: int, supervision: str
) -> None:
    modalities = MODALITIES[-count:]
    net = build(modalities, supervision=supervision, **config)
    terms = METHOD.loss(net.train(), batch(modalities))
    sides = ("visual", "textual")
    pairs = (
        set(sides) if supervision == "joint" else {f"{s}_{m}" for s in sides for m in modalities}
    )
    pairs |= {f"cda_{s}" for s in sides} if net.cda else set()
    assert set(terms) == {f"{kind}_{pair}" for kind in ("id", "triplet") for pair in pairs}
    assert all(torch.isfinite(t) for t in terms.values())
    found = METHOD.embed(net.eval(), batch(modalities))
    assert found.shape == (4, 16 * count * (2 if config.get("descriptor") == "tokens" else 1))


@pytest.mark.parametrize("grid", [(16, 8), (8, 16), (6, 7)])
@pytest.mark.parametrize("shared", [True, False])
def test_sampling_and_attention_against_loops(grid: tuple[int, int], shared: bool) -> None:
    torch.manual_seed(0)
    layer = DeformableAggregation(MODALITIES, 4, grid, shared, 3.0).double()
    for offsets in layer.offsets.values():
        torch.nn.init.normal_(offsets[4].weight)
    maps: dict[Modality, Tensor] = {m: torch.randn(1, 4, *grid).double() for m in MODALITIES}
    asking = torch.randn(1, 5, 4).double()
    rows, columns = ((size - 4) // 2 + 1 for size in grid)
    with torch.no_grad():
        found = layer(asking, maps)[0]
        seen = []
        for m in MODALITIES:
            entering = torch.cat(list(maps.values()), 1) if shared else maps[m]
            offset = layer.offsets["all" if shared else m](entering)[0].tanh() * 3.0
            for i in range(rows):
                for j in range(columns):
                    y = (2 * i + 2) / (grid[0] - 1) * 2 - 1 + float(offset[0, i, j]) / (rows - 1)
                    x = (2 * j + 2) / (grid[1] - 1) * 2 - 1
                    x += float(offset[-1, i, j]) / (columns - 1)
                    seen.append(_bilinear(maps[m][0], y, x))
        for k in range(5):
            query = layer.query(asking[0, k])
            scores = torch.stack([query @ layer.key(v) for v in seen]) * 4**-0.5
            mixed = sum(w * layer.value(v) for w, v in zip(scores.softmax(0), seen, strict=True))
            torch.testing.assert_close(found[k], asking[0, k] + layer.out(mixed))


def _bilinear(patches: Tensor, y: float, x: float) -> Tensor:
    """A map (d, h, w) at a place from -1 to 1, corners aligned, beyond the edge at the edge."""
    h, w = patches.shape[1:]
    down, across = ((min(max(v, -1.0), 1.0) + 1) / 2 * (s - 1) for v, s in ((y, h), (x, w)))
    found = torch.zeros(patches.shape[0], dtype=patches.dtype)
    for a in {math.floor(down), min(math.floor(down) + 1, h - 1)}:
        for b in {math.floor(across), min(math.floor(across) + 1, w - 1)}:
            share = max(0.0, 1 - abs(down - a)) * max(0.0, 1 - abs(across - b))
            found += share * patches[:, a, b]
    return found


def test_a_text_is_read_up_to_its_end_mark() -> None:
    torch.manual_seed(0)
    encoder = TextEncoder(TextShape(**TEXT), 8, 2)
    one = torch.tensor([framed(range(100, 109))])
    behind = one.clone()
    behind[0, int(one.argmax()) + 1 :] = 7
    assert torch.equal(encoder(one), encoder(behind)), "nothing behind the mark is read"
    assert not torch.allclose(encoder(one), encoder(torch.tensor([framed(range(100, 110))])))
    early = one.clone()
    early[0, 1:3] = early[0, [2, 1]]
    assert not torch.allclose(encoder(one), encoder(early)), "order counts"
    encoder(one).sum().backward()
    assert encoder.prompts is not None and encoder.prompts.grad.abs().sum() > 0
    assert all(p.grad is None for k, p in encoder.named_parameters() if k != "prompts")


def test_learned_vectors_stand_where_the_letters_x_do() -> None:
    for prompts in (1, 3):
        ids = framed((), prompt_ids(IdeaConfig(text_prompts=prompts), "NI"))
        assert [i for i, x in enumerate(ids) if x == 343] == [*range(5, 5 + prompts)]
        assert FIRST_PROMPT == 5
    assert prompt_ids(IdeaConfig(prefix=False), "RGB") == ()
    vehicle = prompt_ids(IdeaConfig(noun="vehicle", spectrum_clause=False, text_prompts=0), "TI")
    assert vehicle == (550, 2867, 539, 320, 5299, 530, 518, 13689, 22867, 13532, 281)


def test_captions_move_the_descriptor_and_an_absent_modality_is_grey_and_silent() -> None:
    net, shown = build().eval(), batch()
    assert shown.text is not None
    whole = METHOD.embed(net, shown)
    other = shown._replace(text=shown.text | {"TI": shown.text["TI"].flip(0)})
    assert not torch.allclose(METHOD.embed(net, other), whole)
    grey = shown._replace(
        images=shown.images | {"TI": torch.zeros(4, 3, *SIZE)},
        text=shown.text | {"TI": net.without_caption[2].expand(4, -1)},
    )
    two = ("RGB", "NI")
    partly = shown._replace(
        images={m: shown.images[m] for m in two}, text={m: shown.text[m] for m in two}
    )
    silent = METHOD.embed(net, partly)
    torch.testing.assert_close(silent, METHOD.embed(net, grey))
    kept = METHOD.embed(net, partly._replace(text=shown.text))
    assert not torch.allclose(kept, silent), "a protocol may keep the caption"


@pytest.mark.parametrize(
    ("name", "size", "p_k", "supervision", "prompts", "factor", "clause"),
    [
        ("rgbnt201", (256, 128), (8, 8), "joint", 2, 5.0, True),
        ("rgbnt100", (128, 256), (8, 16), "each", 1, 21.0, False),
        ("msvr310", (128, 256), (8, 8), "joint", 1, 25.0, True),
    ],
)
def test_official_recipes_are_the_authors_configurations(
    name: str,
    size: tuple[int, int],
    p_k: tuple[int, int],
    supervision: str,
    prompts: int,
    factor: float,
    clause: bool,
) -> None:
    recipe, config = resolve(INFO, name, name, "full")
    assert isinstance(config, IdeaConfig) and recipe.track == "official"
    assert (recipe.input.height, recipe.input.width) == size and recipe.epochs == 50
    assert (recipe.sampler.identities, recipe.sampler.instances) == p_k
    assert (config.supervision, config.text_prompts, config.offset_factor) == (
        supervision,
        prompts,
        factor,
    )
    assert config.spectrum_clause is clause
    assert config.noun == ("person" if name == "rgbnt201" else "vehicle")
    net = build(encoder_rate=config.encoder_rate, rest_rate=config.rest_rate)
    groups = make_optimiser(recipe.optimiser, net, METHOD.lr_scales(net)).param_groups
    assert {round(g["lr"], 12) for g in groups} == {3.5e-6}
    moved = {id(p) for g in groups for p in g["params"]}
    assert moved == {id(p) for p in net.parameters() if p.requires_grad}


def test_too_few_patches_are_refused() -> None:
    with pytest.raises(RecipeError, match="4x2 patches, of which CDA samples"):
        build(encoder={**TINY, "patch": 16}, stride=16)
    assert build(encoder={**TINY, "patch": 16}, stride=16, cda=False).cda is None


def test_fast_mode_gives_finite_terms_and_gradients() -> None:
    net, shown = build().train(), batch()
    with torch.autocast("cpu", torch.bfloat16):
        terms = METHOD.loss(net, shown)
    torch.stack([t.float() for t in terms.values()]).sum().backward()
    assert all(torch.isfinite(t) for t in terms.values())
    assert all(torch.isfinite(p.grad).all() for p in net.parameters() if p.grad is not None)


def test_a_text_ends_at_the_first_of_the_largest_ids() -> None:
    torch.manual_seed(0)
    encoder = TextEncoder(TextShape(**TEXT), 8, 0)
    one = torch.tensor([framed((5, 6))])
    twice = one.clone()
    twice[0, 9] = END
    assert torch.equal(encoder(one), encoder(twice))
