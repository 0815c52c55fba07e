"""PFNet against the authors' numbers, and against our own where theirs are not at hand."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from baselines.pfnet.config import PFNetConfig
from baselines.pfnet.method import PFNet
from baselines.pfnet.model import PFNetwork, TrainOutput
from baselines.pfnet.official import official_name
from harness.spec.method import Batch
from tests.baselines.public import near
from tests.baselines.streams import info
from tests.golden import GOLDEN, SETTINGS, filled, inputs, shapes, stats

OWN = Path(__file__).with_name("golden.npz")
# The authors list RGB, NI, TI, RGB+TI, RGB+NI for the upper stripe, then for the lower, then all.
BRANCHES = (("RGB",), ("NI",), ("TI",), ("RGB", "TI"), ("RGB", "NI"))
Arrays = dict[str, NDArray[Any]]


@pytest.fixture(scope="module")
def weights() -> dict[str, Tensor]:
    """A state dict under the authors' names, drawn from these names as golden/README says."""
    setting = SETTINGS["small"]
    with torch.device("meta"):
        net = PFNetwork(PFNetConfig(), info(setting))
    wanted = {official_name(k): tuple(v.shape) for k, v in net.state_dict().items()}
    return {k: torch.from_numpy(filled(k, shape, wanted)) for k, shape in wanted.items()}


@pytest.fixture(scope="module")
def computed(weights: dict[str, Tensor]) -> Arrays:
    """What our network makes of the golden weights and inputs, in float64."""
    setting = SETTINGS["small"]
    with torch.device("meta"):
        net = PFNetwork(PFNetConfig(label_smoothing=0.1), info(setting))
    net.to_empty(device="cpu")
    prefixed = {f"module.{k}": v for k, v in weights.items()}
    net.load_state_dict(PFNet().import_state({"state_dict": prefixed, "epoch": 60}))
    net.double()
    images: dict[Any, Tensor] = {m: x.double() for m, x in inputs(setting).items()}
    batch = Batch(images, {}, torch.tensor(setting.labels))
    with torch.no_grad():
        descriptors = PFNet().embed(net.eval(), batch)
    seen: list[TrainOutput] = []
    net.train().register_forward_hook(lambda _m, _i, out: seen.append(out))
    terms = PFNet().loss(net, batch)
    total = torch.stack(list(terms.values())).sum()
    total.backward()
    outputs = [seen[0].logits[b][:, stripe] for stripe in range(2) for b in BRANCHES]
    grads: dict[str, Tensor] = {}
    for name, parameter in net.named_parameters():
        assert parameter.grad is not None, name
        grads[official_name(name)] = parameter.grad
    return {
        "feat": descriptors.numpy(),
        "outputs": torch.stack([*outputs, seen[0].whole]).detach().numpy(),
        "loss": total.detach().numpy(),
        "grad": stats(grads, np.array(sorted(grads))),
    }


def test_names_and_shapes_are_the_authors(weights: dict[str, Tensor]) -> None:
    if not GOLDEN.is_dir():
        pytest.skip(f"the golden numbers are not at {GOLDEN}")
    assert {k: tuple(v.shape) for k, v in weights.items()} == shapes(GOLDEN / "pfnet_keys.tsv")


def test_the_numbers_are_the_authors(computed: Arrays) -> None:
    if not GOLDEN.is_dir():
        pytest.skip(f"the golden numbers are not at {GOLDEN}")
    with np.load(GOLDEN / "aux_small_f64.npz") as file:
        want = {k.removeprefix("pfnet."): file[k] for k in file.files if k.startswith("pfnet.")}
    near(computed["feat"], want["eval.feat_TI_RT_RGB_RN_NI"], 1e-8)
    near(computed["outputs"], np.stack([want[f"train.result{i:02d}"] for i in range(11)]), 1e-8)
    near(computed["loss"], want["ce_deep_sum"], 1e-8)
    close_stats(computed["grad"], want["grad.stats"])


def test_the_numbers_are_ours(computed: Arrays) -> None:
    with np.load(OWN) as file:
        want = {k: file[k] for k in file.files}
    for name, values in reduced(computed).items():
        if name == "grad":
            close_stats(values, want[name])
        else:
            near(values, want[name], 1e-8)


def reduced(computed: Mapping[str, NDArray[Any]]) -> Arrays:
    """The part of the numbers that is kept in the repository."""
    return {
        "feat": computed["feat"][:, ::40],
        "outputs": computed["outputs"],
        "loss": computed["loss"],
        "grad": computed["grad"][::8],
    }


def close_stats(got: NDArray[Any], want: NDArray[Any]) -> None:
    """Sums may cancel, so each row is measured against its norm."""
    assert got.shape == want.shape
    sizes = np.sqrt(4096) * np.abs(want[:, 1:2])
    assert (np.abs(got - want) <= 1e-8 * sizes + 1e-9).all()
