"""The network beyond the golden configuration: modalities, switches, backbones, sizes."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor

from harness.spec.method import Batch, DataInfo
from harness.spec.modality import MODALITIES, Modality
from ieee.config import IEEEConfig
from ieee.info import INFO
from ieee.method import IEEE
from ieee.model import IEEENet, TrainOutput
from tests.batches import batch

PIDS = torch.tensor([0, 0, 1, 1])


def build(modalities: tuple[Modality, ...] = MODALITIES, **options: Any) -> IEEENet:
    torch.manual_seed(0)
    config = IEEEConfig(**{"backbone": "resnet10t", **options})
    return IEEE().build(config, DataInfo(5, modalities, 64, 32, "none"))


def gradients(net: IEEENet, given: Batch) -> dict[str, Tensor | None]:
    torch.stack(list(IEEE().loss(net.train(), given).values())).sum().backward()
    return {k: p.grad for k, p in net.named_parameters()}


@pytest.mark.parametrize("modalities", [("RGB",), ("TI",), ("RGB", "TI"), ("NI", "TI"), MODALITIES])
def test_any_modalities(modalities: tuple[Modality, ...]) -> None:
    net, given = build(modalities), batch(modalities)
    found = gradients(net, given)
    assert IEEE().embed(net, given).shape == (4, 768 * len(modalities))
    assert ("3m" in IEEE().loss(net, given)) and tuple(net.streams) == modalities
    without = {k for k, g in found.items() if g is None}
    assert without == {k for k in found if ".rem.value." in k}
    assert any(".rest." in k for k in found) == (len(modalities) > 1)


def test_the_descriptor_is_ti_rgb_ni_whatever_the_order_given() -> None:
    net, given = build().eval(), batch()
    whole = IEEE().embed(net, given)
    backwards = given._replace(images=dict(reversed(given.images.items())))
    torch.testing.assert_close(IEEE().embed(net, backwards), whole)
    streams: Any = net.streams
    for p in streams["RGB"].heads.parameters():
        torch.nn.init.zeros_(p)
    changed = (IEEE().embed(net, given) != whole).reshape(4, 3, 768).any(2).any(0)
    assert changed.tolist() == [False, True, False]


def test_one_modality_is_its_own_half_of_the_interaction() -> None:
    net, given = build(("NI",)).eval(), batch(("NI",))
    stream: Any = net.streams["NI"]
    own = stream.backbone(given.images["NI"])
    torch.testing.assert_close(stream.interaction(own, None), stream.interaction.own(own))
    assert IEEE().loss(net.train(), given)["3m"].item() == 0


def test_a_modality_absent_from_a_whole_side_is_zero() -> None:
    net, given = build().eval(), batch()
    zero = given._replace(images=given.images | {"TI": torch.zeros(4, 3, 64, 32)})
    partly = given._replace(images={m: given.images[m] for m in ("RGB", "NI")})
    torch.testing.assert_close(IEEE().embed(net, partly), IEEE().embed(net, zero))


@pytest.mark.parametrize("backbone", ["resnet18", "convnext_atto", "resnet10t"])
def test_other_backbones(backbone: str) -> None:
    net = build(backbone=backbone)
    assert all(g is None or torch.isfinite(g).all() for g in gradients(net, batch()).values())
    assert IEEE().embed(net, batch()).shape == (4, 2304)


def test_four_stripes() -> None:
    net = build(parts=4)
    out = net.train()(batch().images)
    assert isinstance(out, TrainOutput)
    assert out.logits["TI"].shape == (4, 4, 5)
    assert out.features["TI"].shape == (4, 512)
    torch.testing.assert_close(out.features["TI"].norm(dim=1), torch.ones(4))


def test_a_sample_does_not_depend_on_its_batch() -> None:
    net, given = build(), batch()
    gradients(net, given)  # moves the running statistics away from their start
    whole = IEEE().embed(net.eval(), given)
    alone = [
        IEEE().embed(net, given._replace(images={m: x[i : i + 1] for m, x in given.images.items()}))
        for i in range(4)
    ]
    torch.testing.assert_close(torch.cat(alone), whole, rtol=1e-4, atol=1e-5)


def test_embedding_while_training_uses_eval_mode_and_goes_back() -> None:
    net, given = build().train(), batch()
    before = {k: v.clone() for k, v in net.state_dict().items()}
    found = IEEE().embed(net, given)
    assert net.training and all(s.training for s in net.streams.values())
    assert all(torch.equal(v, before[k]) for k, v in net.state_dict().items())
    torch.testing.assert_close(found, IEEE().embed(net.eval(), given))


def test_the_query_projection_decays_and_the_value_projection_stays() -> None:
    net = build()
    rem: Any = net.streams["RGB"].rem
    gradients(net, batch())
    assert rem.query.weight.grad.shape == rem.query.weight.shape
    assert not rem.query.weight.grad.any() and not rem.query.bias.grad.any()
    query, value = rem.query.weight.detach().clone(), rem.value.weight.detach().clone()
    torch.optim.SGD(net.parameters(), lr=0.1, weight_decay=0.5).step()
    torch.testing.assert_close(rem.query.weight.detach(), query * 0.95)
    assert torch.equal(rem.value.weight, value)


def test_the_paper_reading_of_rem_uses_all_three_projections() -> None:
    net = build(rem_formula="paper")
    found = {k: g for k, g in gradients(net, batch()).items() if ".rem." in k}
    assert {k for k, g in found.items() if g is None} == {
        f"streams.{m}.rem.gamma" for m in MODALITIES
    }
    assert all(g.abs().sum() > 0 for k, g in found.items() if g is not None and "weight" in k)
    rem: Any = net.streams["RGB"].rem
    parts, whole = torch.randn(2, 6, 768), torch.randn(2, 768)
    similar = torch.sigmoid((rem.query(parts[1, 3]) * rem.part(whole[1])).sum())
    want = parts[1, 3] + whole[1] + similar * rem.value(whole[1])
    torch.testing.assert_close(rem(parts, whole)[1, 3], want, rtol=1e-4, atol=1e-5)


def test_gamma_starts_at_zero_so_rem_starts_as_nothing() -> None:
    torch.testing.assert_close(
        IEEE().embed(build().eval(), batch()),
        IEEE().embed(_copied(build(rem=False), build()).eval(), batch()),
    )


def _copied(target: IEEENet, source: IEEENet) -> IEEENet:
    target.load_state_dict({k: v for k, v in source.state_dict().items() if ".rem." not in k})
    return target


def test_global_from_after_changes_what_rem_adds() -> None:
    before, after = build(), build(global_from="after")
    for net in (before, after):
        torch.nn.init.ones_(net.streams["RGB"].rem.gamma)  # type: ignore[union-attr, arg-type]
    same = IEEE().embed(before.eval(), batch()) == IEEE().embed(after.eval(), batch())
    assert not same[:, 768:1536].all() and same[:, :768].all()


@pytest.mark.parametrize(
    "options", [{"weight_m": 0}, {"weight_x": 0}, {"weight_m": 0, "weight_x": 0}]
)
def test_a_weight_of_zero_takes_its_term_out(options: dict[str, Any]) -> None:
    net = build(**options)
    terms = IEEE().loss(net.train(), batch())
    assert (terms["3m"].item() == 0) == ("weight_m" in options)
    assert (terms["ce"].item() == 0) == ("weight_x" in options)
    torch.stack(list(terms.values())).sum().backward()


def test_softmax_has_no_margin_term() -> None:
    assert set(IEEE().loss(build(loss="softmax").train(), batch())) == {"ce"}


@pytest.mark.parametrize(
    ("options", "millions"),
    [
        ({}, 109.5),
        ({"interaction": False}, 82.7),
        ({"attention": False}, 107.9),
        ({"rem": False}, 104.2),
    ],
)
def test_parameter_counts_of_the_published_network(
    options: dict[str, bool], millions: float
) -> None:
    with torch.device("meta"):
        net = IEEENet(IEEEConfig(**options), classes=171)  # type: ignore[arg-type]
    assert round(sum(p.numel() for p in net.parameters()) / 1e6, 1) == millions


@pytest.mark.parametrize(
    "wrong",
    [
        {"parts": 0},
        {"margin": -1},
        {"weight_m": float("nan")},
        {"label_smoothing": 1},
        {"rem_formula": "both"},
        {"backbone": ""},
        {"atention": True},
    ],
)
def test_values_out_of_range_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        IEEEConfig(**wrong)


def test_the_declaration_points_at_the_class_and_its_recipes() -> None:
    assert INFO.target == "ieee.method:IEEE" and INFO.config is IEEEConfig
    assert INFO.recipes is not None and INFO.recipes.is_dir()
    assert {c.dataset: c.mAP for c in INFO.claims} == {"rgbnt201": 46.42, "market1501-mm": 64.32}
