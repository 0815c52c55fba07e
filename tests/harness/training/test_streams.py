"""Networks side by side give what they give one after the other, and wait as they must."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn

from harness.training import streams
from harness.training.streams import side_by_side


def _networks() -> tuple[dict[str, nn.Module], dict[str, tuple[Tensor]]]:
    torch.manual_seed(0)
    names = ("RGB", "NI", "TI")
    return {m: nn.Linear(3, 2) for m in names}, {m: (torch.randn(4, 3),) for m in names}


def test_each_gets_its_own() -> None:
    networks, inputs = _networks()
    found = side_by_side(networks, inputs)
    assert list(found) == list(networks)
    for name, network in networks.items():
        assert torch.equal(found[name], network(*inputs[name]))


@pytest.mark.parametrize("training", [True, False])
def test_a_stream_waits_for_what_was_before_and_is_waited_for(
    training: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By streams that only write down what they are told."""
    said: list[str] = []
    networks, inputs = _networks()
    usual = side_by_side(networks, inputs)

    class Stream:
        def __init__(self, name: str) -> None:
            self.name = name

        def wait_stream(self, other: Stream) -> None:
            said.append(f"{self.name} waits for {other.name}")

    @contextlib.contextmanager
    def within(stream: Stream) -> Iterator[None]:
        said.append(f"into {stream.name}")
        yield

    monkeypatch.setattr(streams, "_device", lambda _: torch.device("cpu"))
    monkeypatch.setattr(streams, "_streams", lambda _, n: [Stream(str(i)) for i in range(n)])
    monkeypatch.setattr(streams, "_used_by", lambda tree, stream: said.append(f"for {stream.name}"))
    monkeypatch.setattr(torch.cuda, "current_stream", lambda _: Stream("main"))
    monkeypatch.setattr(torch.cuda, "stream", within)
    with torch.set_grad_enabled(training):
        found = side_by_side(networks, inputs)
    assert all(torch.equal(found[m], usual[m]) for m in networks)
    if not training:
        assert said == [], "descriptors are not worth the memory"
        return
    before = [s for i in range(3) for s in (f"{i} waits for main", f"for {i}", f"into {i}")]
    assert said == [*before, *(f"main waits for {i}" for i in range(3)), "for main"]
