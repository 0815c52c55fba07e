"""Signal against numbers of its authors' code."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
import torch

from baselines.signal.info import INFO
from tests.baselines.published import case, names, needed

pytestmark = needed


@pytest.mark.parametrize("name", ["rgbnt201_f32"])
def test_descriptors_and_losses(name: str) -> None:
    found = case(INFO, name)
    assert found.far(found.embedded(), "eval.feat") < 1e-5
    with torch.no_grad():
        terms = found.method.loss(found.model.train(), found.batch)
    _assert_terms(found, terms, 1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("name", names("signal"))
def test_everything_in_every_case(name: str) -> None:
    found = case(INFO, name)
    close = 1e-9 if found.about["dtype"] == "f64" else 1e-4
    assert found.far(found.embedded(), "eval.feat") < close
    for key in (k for k in found.want if re.fullmatch(r"eval\.feat\.missing_\w+", k)):
        gone = [{"R": "RGB", "N": "NI", "T": "TI"}[c] for c in key.rpartition("_")[2]]
        assert found.far(found.embedded(*gone), key) < close, key
    trained = [p for p in found.model.parameters() if p.requires_grad]
    optimiser = torch.optim.SGD(trained, found.about["lr"], weight_decay=5e-4)
    for step in range(found.about["steps"]):
        terms = found.method.loss(found.model.train(), found.batch)
        optimiser.zero_grad()
        torch.stack(list(terms.values())).sum().backward()
        if step == 0:
            _assert_terms(found, {k: t.detach() for k, t in terms.items()}, close)
            assert all(p.grad is not None for p in trained) == (not found.want["grad.none"].size)
            total = np.linalg.norm([p.grad.norm() for p in trained if p.grad is not None])
            want = np.linalg.norm(found.want["grad.group_norm"])
            np.testing.assert_allclose(total, want, rtol=max(close, 1e-8))
        optimiser.step()
    assert found.far(found.embedded(), "eval.feat_after_step") < 10 * close


def _assert_terms(found: Any, terms: dict[str, Any], close: float) -> None:
    wanted = {k.removeprefix("loss.") for k in found.want if k.startswith("loss.")} - {"total"}
    ours = {f"{k.partition('_')[2]}.{k.partition('_')[0]}": v for k, v in terms.items()}
    assert set(ours) == wanted
    for name, value in ours.items():
        assert found.far(value, f"loss.{name}") < close, name
