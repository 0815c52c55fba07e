"""MDReID against numbers of its authors' code."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
import pytest
import torch
from torch import Tensor

from baselines.mdreid.info import INFO
from harness.spec.modality import Modality
from tests.baselines.published import METHODS, Case, case, hold_steps, names, needed

pytestmark = needed

LETTERS: dict[str, Modality] = {"R": "RGB", "N": "NI", "T": "TI"}
PUBLISHED = ("RT_NT", "RT_N", "R_N", "R_NT")


def hold_losses(found: Case, terms: Mapping[str, Tensor]) -> None:
    """Each term is the authors', who have both losses of a feature in one."""
    of_feature = {"base_R": "RGB", "base_N": "NI", "base_T": "TI", "base_S": "shared"}
    ours = {
        name: terms[f"id_{feature}"] + terms[f"triplet_{feature}"]
        for name, feature in of_feature.items()
        if f"id_{feature}" in terms
    }
    ours |= {k: v for k, v in terms.items() if k in ("orthogonality", "enhancement")}
    wanted = {k.removeprefix("loss.") for k in found.want if k.startswith("loss.")} - {"total"}
    assert set(ours) == wanted
    for name, value in ours.items():
        assert found.far(value.detach(), f"loss.{name}") < found.close, name


def hold_pairs(found: Case) -> None:
    """The four published pairs, of what each side shows of itself alone."""
    for pair in PUBLISHED:
        sides = [tuple(LETTERS[c] for c in letters) for letters in pair.split("_")]
        slots = [found.embedded(*(set(LETTERS.values()) - set(side))) for side in sides]
        tensors = tuple(torch.from_numpy(part) for part in slots)
        for name, ours in zip(
            ("query", "gallery"), found.method.pair(found.model, tensors, *sides), strict=True
        ):
            assert found.far(ours, f"eval.pair.{pair}.{name}") < found.close, pair


def test_descriptors_pairs_and_losses() -> None:
    found = case(INFO, "main_f32")
    assert found.far(found.embedded(), "eval.feat") < found.close
    first = found.batch._replace(
        images={m: x[:1] for m, x in found.batch.images.items()},
        present={m: x[:1] for m, x in found.batch.present.items()},
        camids=found.batch.camids[:1],
    )
    # The pairs are kept of float64 alone, with the same weights and images.
    with np.load(METHODS / "mdreid" / "main.npz") as main:
        hold_pairs(found._replace(batch=first, want=dict(main)))
    with torch.no_grad():
        hold_losses(found, found.method.loss(found.model.train(), found.batch))


@pytest.mark.slow
@pytest.mark.parametrize("name", names("mdreid"))
def test_every_case_whole(name: str) -> None:
    found = case(INFO, name)
    assert found.far(found.embedded(), "eval.feat") < found.close
    for key in (k for k in found.want if re.fullmatch(r"eval\.feat\.missing_\w+", k)):
        ours = found.embedded(*(LETTERS[c] for c in key.rpartition("_")[2]))
        # The authors leave out the columns that are zero here.
        assert found.far(ours[:, np.abs(ours).max(0) > 0], key) < found.close, key
    if "eval.pair.R_N.query" in found.want:
        hold_pairs(found)
    hold_steps(found, hold_losses, kept=(0, -1))
