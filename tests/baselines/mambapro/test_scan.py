"""The selective scan beside its slow twin and the closed form, and a kernel in its place."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from baselines.mambapro import kernel, reference
from baselines.mambapro.config import MambaProConfig
from baselines.mambapro.method import MambaPro
from baselines.mambapro.scan import selective_scan

CPU = torch.device("cpu")


def drawn(
    seed: int, n: int, channels: int, states: int, length: int, dtype: torch.dtype = torch.float64
) -> list[Tensor]:
    torch.manual_seed(seed)
    a = -torch.arange(1, states + 1, dtype=dtype).repeat(channels, 1)
    return [
        torch.randn(n, channels, length, dtype=dtype),
        2 * torch.randn(n, channels, length, dtype=dtype),
        a * (0.5 + torch.rand(channels, states, dtype=dtype)),
        torch.randn(n, states, length, dtype=dtype),
        torch.randn(n, states, length, dtype=dtype),
        torch.randn(channels, dtype=dtype),
        torch.randn(channels, dtype=dtype),
    ]


@settings(max_examples=20, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    n=st.integers(1, 2),
    channels=st.integers(1, 3),
    states=st.integers(1, 4),
    length=st.integers(1, 70),
)
def test_values_and_gradients_are_the_loops(
    seed: int, n: int, channels: int, states: int, length: int
) -> None:
    given_ = drawn(seed, n, channels, states, length)
    weight = torch.randn(n, channels, length, dtype=torch.float64)
    found: list[list[Tensor]] = []
    for scan in (selective_scan, reference.selective_scan):
        inputs = [x.clone().requires_grad_() for x in given_]
        out = scan(*inputs)
        found.append([out.detach(), *torch.autograd.grad((out * weight).sum(), inputs)])
    for fast, slow in zip(*found, strict=True):
        torch.testing.assert_close(fast, slow, rtol=1e-10, atol=1e-10)


def test_the_closed_form() -> None:
    """y_t = sum over s <= t of C_t exp(A (dt_(s+1) + ... + dt_t)) dt_s B_s u_s, and skip u_t."""
    u, delta, a, b, c, skip, bias = drawn(0, 1, 2, 3, 40)
    steps = functional.softplus(delta + bias[:, None])[0]
    found = selective_scan(u, delta, a, b, c, skip, bias)[0]
    for d in range(2):
        for t in range(40):
            want = skip[d] * u[0, d, t]
            for s in range(t + 1):
                fade = (a[d] * steps[d, s + 1 : t + 1].sum()).exp()
                want = want + (c[0, :, t] * fade * b[0, :, s]).sum() * steps[d, s] * u[0, d, s]
            assert float(found[d, t]) == pytest.approx(float(want), abs=1e-11)


def test_float32_whatever_the_autocast_and_without_overflow() -> None:
    """Steps so long that a sum of them, exponentiated, is no number of float32."""
    given_ = drawn(1, 2, 3, 16, 96, torch.float32)
    given_[1] += 60
    plain = selective_scan(*given_)
    low = [x.bfloat16() for x in given_]
    with torch.autocast("cpu", torch.bfloat16):
        under = selective_scan(*low)
    assert under.dtype == torch.float32
    torch.testing.assert_close(under, selective_scan(*(x.float() for x in low)))
    torch.testing.assert_close(plain, reference.selective_scan(*given_), rtol=1e-4, atol=1e-4)
    assert torch.isfinite(plain).all()


def test_no_more_is_kept_than_every_thirty_second_state() -> None:
    n, channels, states, length = 2, 8, 16, 320
    inputs = [x.requires_grad_() for x in drawn(0, n, channels, states, length, torch.float32)]
    kept: dict[int, int] = {}

    def keep(x: Tensor) -> Tensor:
        kept[x.untyped_storage().data_ptr()] = x.untyped_storage().nbytes()
        return x

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda x: x):
        selective_scan(*inputs)
    every_state = 4 * n * channels * states * length
    # Ten states, and some tensors of the size of u, each a sixteenth of all states.
    assert sum(kept.values()) < every_state * (1 / 32 + 10 / 16)


def library(monkeypatch: pytest.MonkeyPatch, scan: Any) -> None:
    """mamba_ssm, as far as it is asked for."""
    name = "mamba_ssm.ops.selective_scan_interface"
    for part in ("mamba_ssm", "mamba_ssm.ops", name):
        monkeypatch.setitem(sys.modules, part, ModuleType(part))
    sys.modules[name].selective_scan_fn = scan  # type: ignore[attr-defined]


@pytest.fixture(autouse=True)
def _asked_anew() -> Any:
    kernel.chosen.cache_clear()
    yield
    kernel.chosen.cache_clear()


def said(scan: str = "auto") -> str:
    return MambaPro().notes(MambaProConfig(scan=scan), CPU)["selective_scan"]  # type: ignore[arg-type]


def test_the_kernel_is_never_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mamba_ssm", None)
    assert said() == "plain: mamba_ssm is not installed"
    assert kernel.chosen(CPU).scan is selective_scan


def test_a_kernel_that_agrees_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def agrees(
        u: Tensor, delta: Tensor, a: Tensor, b: Tensor, c: Tensor, d: Tensor, **kw: Any
    ) -> Any:
        calls.append(kw["delta_softplus"])
        return reference.selective_scan(u, delta, a, b, c, d, kw["delta_bias"])

    library(monkeypatch, agrees)
    assert said().startswith("mamba_ssm, ") and said().endswith(" from the plain scan")
    given_ = drawn(0, 1, 2, 3, 5, torch.float32)
    calls.clear()
    torch.testing.assert_close(kernel.chosen(CPU).scan(*given_), selective_scan(*given_))
    assert calls == [True]
    # It knows float32 alone.
    wide = drawn(0, 1, 2, 3, 5)
    assert kernel.chosen(CPU).scan(*wide).dtype == torch.float64 and calls == [True]
    assert said("plain") == "plain: config.scan says so"


def test_a_kernel_that_errs_or_fails_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    def errs(
        u: Tensor, delta: Tensor, a: Tensor, b: Tensor, c: Tensor, d: Tensor, **kw: Any
    ) -> Any:
        return 1.01 * reference.selective_scan(u, delta, a, b, c, d, kw["delta_bias"])

    def fails(*_: Any, **__: Any) -> Any:
        raise RuntimeError("expected a CUDA tensor")

    for scan, why in ((errs, "it differs by "), (fails, "expected a CUDA tensor")):
        kernel.chosen.cache_clear()
        library(monkeypatch, scan)
        assert said().startswith(f"plain: mamba_ssm cannot be used here: {why}")
        assert kernel.chosen(CPU).scan is selective_scan
