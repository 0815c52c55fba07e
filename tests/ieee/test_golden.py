"""The network, its losses, gradients and training steps against the authors' code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from harness.spec.method import Batch
from ieee.losses import summed_cross_entropy
from ieee.method import IEEE
from ieee.model import IEEENet, TrainOutput
from ieee.official import load_official, official_name
from tests.golden import stats

LETTERS = {"RGB": "R", "NI": "N", "TI": "T"}
SMALL = ("ieee", "no_interaction", "no_attention", "no_rem", "softmax", "table3a", "table3b")
FULL = ("ieee", "no_interaction", "no_attention", "no_rem", "softmax")
# In float32 the rounding of the stored weights drowns a step: only the first loss compares.
CASES = [
    ("small_ieee_f64", 3),
    *[(f"small_{v}_f64", 1) for v in SMALL[1:]],
    ("small_ieee_f32", 1),
    ("full_ieee_f32", 1),
    *[pytest.param((f"small_{v}_f64", 3), marks=pytest.mark.slow) for v in SMALL[1:]],
    *[pytest.param((f"full_{v}_f64", 3 - 2 * (v != "ieee")), marks=pytest.mark.slow) for v in FULL],
]


class Ran(NamedTuple):
    """What our network did in one case, and what the authors' did, under the same names."""

    want: dict[str, NDArray[Any]]
    got: dict[str, NDArray[Any]]
    exact: bool
    """Whether the case is in float64."""

    def assert_close(self, *names: str) -> None:
        for name in names:
            want, got = self.want[name], self.got[name]
            assert got.shape == want.shape, name
            error = np.abs(got - want).max() / np.abs(want).max()
            assert error <= (1e-8 if self.exact else 1e-4), f"{name}: {error:.1e}"


@pytest.fixture(scope="module", params=CASES, ids=lambda p: f"{p[0]}-{p[1]}")
def ran(request: pytest.FixtureRequest, golden: Any, settings: Any) -> Iterator[Ran]:
    name, steps = request.param
    size, rest = name.split("_", 1)
    variant, dtype = rest.rsplit("_", 1)
    setting = settings[size]
    kind = torch.float64 if dtype == "f64" else torch.float32
    case = Ran(golden.numbers(f"model/{name}.npz"), {}, dtype == "f64")
    net = load_official(golden.fill(setting.classes, variant)).to(kind)
    if "train.feat_R" not in case.want:
        net.config = net.config.model_copy(update={"loss": "softmax"})
    images: dict[Any, Tensor] = {m: x.to(kind) for m, x in golden.inputs(setting).items()}
    batch = Batch(images, {}, torch.tensor(setting.labels))
    case.got["eval.feat"] = _descriptors(net, batch, case.want["eval.feat"])
    _train(net, batch, setting.lr, steps, case)
    after = f"eval.feat_after_step{steps}"
    if case.exact and after in case.want:
        case.got[after] = _descriptors(net, batch, case.want[after])
    yield case


def test_weights_are_filled_as_the_golden_ones(ran: Ran) -> None:
    for name in ("param0.stats", "buffer0.stats"):
        np.testing.assert_allclose(ran.got[name], ran.want[name], rtol=1e-4, atol=1e-3)


def test_descriptors(ran: Ran) -> None:
    ran.assert_close("eval.feat")


def test_training_logits_and_features(ran: Ran) -> None:
    names = ["logits", "feat"] if "train.feat_R" in ran.want else ["logits"]
    ran.assert_close(*[f"train.{name}_{letter}" for name in names for letter in "RNT"])


def test_loss_and_its_parts(ran: Ran) -> None:
    want, got = ran.want["losses"], ran.got["losses"]
    assert (np.isnan(want[:, 1]) == np.isnan(got[:, 1])[0]).all()
    np.testing.assert_allclose(got, want[: len(got)], rtol=1e-8 if ran.exact else 1e-4)


def test_gradients(ran: Ran) -> None:
    assert (ran.got["grad.is_none"] == ran.want["grad.is_none"]).all()
    for name in ("grad.group_norm", "grad.total_norm"):
        np.testing.assert_allclose(
            ran.got[name], ran.want[name], rtol=1e-8 if ran.exact else 2e-4, atol=1e-12
        )
    if ran.exact:
        _assert_stats(ran, "grad.stats", floor=1e-9)


def test_weights_after_steps(ran: Ran) -> None:
    if not ran.exact:
        pytest.skip("float32 weights are not compared after a step, see golden/README.md")
    for name in (k for k in ran.got if k.startswith("step")):
        _assert_stats(ran, name, floor=1e-12)
    ran.assert_close(*[k for k in ran.got if k.startswith("eval.feat_after")])


def test_intermediate_maps(ran: Ran) -> None:
    taps = sorted(k for k in ran.got if k.endswith(".slice"))
    assert len(taps) == (33 if "train.CA0.slice" in ran.want else 0)
    ran.assert_close(*taps)


def test_full_size_descriptors_in_double(golden: Any, settings: Any) -> None:
    setting = settings["full"]
    want = golden.numbers("model/full_ieee_f64.npz")
    net = load_official(golden.fill(setting.classes)).double()
    images: dict[Any, Tensor] = {m: x[:4].double() for m, x in golden.inputs(setting).items()}
    got = _descriptors(net, Batch(images, {}, torch.tensor([])), want["eval.feat"][:4])
    np.testing.assert_allclose(got, want["eval.feat"][:4], rtol=0, atol=1e-8)


def _descriptors(net: IEEENet, batch: Batch, like: NDArray[Any]) -> NDArray[Any]:
    with torch.no_grad():
        return IEEE().embed(net.eval(), batch)[: len(like)].numpy()


def _train(net: IEEENet, batch: Batch, lr: float, steps: int, case: Ran) -> None:
    """SGD steps as the authors', recording what the golden files hold."""
    params = {official_name(k): p for k, p in net.named_parameters()}
    buffers = {official_name(k): b for k, b in net.named_buffers()}
    case.got["param0.stats"] = stats(params, case.want["param_keys"])
    case.got["buffer0.stats"] = stats(buffers, case.want["buffer_keys"])
    start = {k: p.detach().clone() for k, p in params.items()} if case.exact else {}
    seen: list[TrainOutput] = []
    hook = net.train().register_forward_hook(lambda _m, _i, out: seen.append(out))
    optimiser = torch.optim.SGD(
        net.parameters(), lr, momentum=0.9, weight_decay=5e-4, nesterov=True
    )
    losses = []
    for step in range(1, steps + 1):
        with _Taps(net, case if step == 1 else None):
            terms = IEEE().loss(net, batch)
        optimiser.zero_grad()
        torch.stack(list(terms.values())).sum().backward()
        losses.append(_loss_row(terms, seen[-1], batch.pids))
        if step == 1:
            _record_first(seen[0], params, case)
        optimiser.step()
        if case.exact and step in (1, steps):
            case.got[f"step{step}.param.stats"] = stats(params, case.want["param_keys"])
            case.got[f"step{step}.buffer.stats"] = stats(buffers, case.want["buffer_keys"])
            moved = {k: p.detach() - start[k] for k, p in params.items()}
            case.got[f"step{step}.delta.stats"] = stats(moved, case.want["param_keys"])
    hook.remove()
    case.got["losses"] = np.array(losses)


def _loss_row(terms: Mapping[str, Tensor], out: TrainOutput, pids: Tensor) -> list[float]:
    by_modality = [summed_cross_entropy({m: x}, pids).item() for m, x in out.logits.items()]
    margin = terms["3m"].item() if "3m" in terms else np.nan
    return [sum(t.item() for t in terms.values()), margin, *by_modality]


def _record_first(out: TrainOutput, params: Mapping[str, Tensor], case: Ran) -> None:
    """Logits, features and gradients of the first training forward."""
    for modality, letter in LETTERS.items():
        logits = out.logits[modality].detach().numpy()  # type: ignore[index]
        features = out.features[modality].detach().numpy()  # type: ignore[index]
        few = logits.shape[1] != case.want[f"train.logits_{letter}"].shape[1]
        case.got[f"train.logits_{letter}"] = logits[:, [0, -1]] if few else logits
        case.got[f"train.feat_{letter}"] = features[[0, -1]] if few else features
    keys = case.want["param_keys"]
    case.got["grad.is_none"] = np.array([params[k].grad is None for k in keys])
    grads = {k: torch.zeros_like(p) if p.grad is None else p.grad for k, p in params.items()}
    case.got["grad.stats"] = stats(grads, keys)
    norms = {k: float(g.norm()) ** 2 for k, g in grads.items()}
    groups = case.want["grad.groups"]
    squares = [sum(v for k, v in norms.items() if k.startswith(f"{g}.")) for g in groups]
    case.got["grad.group_norm"] = np.sqrt(squares)
    case.got["grad.total_norm"] = np.sqrt(sum(norms.values()))


def _assert_stats(ran: Ran, name: str, floor: float) -> None:
    """Sums may cancel, so each row is measured against its norm."""
    want, got = ran.want[name], ran.got[name]
    sizes = np.abs(want[:, 1:2])
    worst = (np.abs(got - want) / (1e-8 * np.sqrt(4096) * sizes + floor)).max()
    assert worst <= 1, f"{name}: {worst}"


class _Taps:
    """Records the maps inside the network while it is entered, where the golden file has them."""

    def __init__(self, net: IEEENet, case: Ran | None) -> None:
        self.case = case if case is not None and "train.CA0.slice" in case.want else None
        self.net = net
        self.hooks: list[Any] = []

    def __enter__(self) -> None:
        if self.case is None:
            return
        for number, stream in enumerate(self.net.streams.values()):
            s: Any = stream
            self._tap(s.backbone, f"backbone{number}", lambda x: x[0, ::128, ::2, 0])
            self._tap(s.interaction.attention, f"CA{number}", lambda x: x[0, ::8, 0, 0])
            self._tap(s.interaction, f"cim{number}", lambda x: x[0, ::128, ::2, 0])
            self._tap(s.reduction, f"reduce{number}.call", lambda x: x[0, ::2, :, 0])
            for part in range(6):
                tap = f"REM{number}.call{part}"
                self._tap(s.rem, tap, lambda x, part=part: x[0, part, ::4])

    def __exit__(self, *_: object) -> None:
        for hook in self.hooks:
            hook.remove()

    def _tap(self, module: Any, name: str, cut: Any) -> None:
        calls: list[int] = []

        def record(_module: Any, _inputs: Any, out: Tensor) -> None:
            calls.append(1)
            full = f"{name}{len(calls) - 1}" if name.endswith("call") else name
            assert self.case is not None
            self.case.got[f"train.{full}.slice"] = cut(out.detach()).numpy().copy()

        self.hooks.append(module.register_forward_hook(record))
