"""Residual blocks that learn from nothing start at zero, or at one where a recipe says so."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from harness.spec.recipe import Recipe
from harness.training.backbone import feature_backbone
from harness.training.starts import start_residuals_at_one
from tests.conftest import SMALL, Harness


def test_only_what_starts_at_zero_is_set_to_one() -> None:
    body = feature_backbone("resnet10t")
    norms = {n: m for n, m in body.named_modules() if isinstance(m, nn.BatchNorm2d)}
    zero = {name for name, norm in norms.items() if not norm.weight.any()}
    nn.init.constant_(norms["body.bn1"].weight, 0.5)
    assert len(zero) == start_residuals_at_one(body) == 4
    for name, norm in norms.items():
        assert torch.equal(
            norm.weight, torch.full_like(norm.weight, 0.5 if "body.b" in name else 1)
        )


@pytest.mark.parametrize("start", ["zero", "one"])
def test_the_recipe_says_where_they_start(
    harness: Harness, tiny: Path, tmp_path: Path, drawn: Path, start: str
) -> None:
    mark = "        return nn.ModuleDict"
    zero = "        [nn.init.zeros_(m.weight) for m in body if isinstance(m, nn.BatchNorm2d)]\n"
    plugin = tmp_path / "zero.py"
    plugin.write_text(tiny.read_text().replace(mark, zero + mark))
    words = ["run", "--method", "tiny", "--plugin", plugin, "--dataset", drawn, "--recipe", "smoke"]
    answer = harness(
        *words, *SMALL, "--set", f"residual_start={start}", "--out", tmp_path, "--json"
    )
    assert answer.code == 0, answer.err
    assert ("normalisations start at one" in answer.err) == (start == "one")
    # With all of them at zero every descriptor is the same.
    assert ("(100.0 %)" in answer.err) == (start == "zero")


def test_recipes_of_before_keep_their_hash() -> None:
    fields = {
        "name": "a",
        "track": "smoke",
        "method": "m",
        "dataset": "d",
        "protocol": "full",
        "epochs": 1,
        "pretrained": "none",
        "sampler": {"identities": 2, "instances": 2},
        "optimiser": {"name": "adam", "lr": 0.1, "weight_decay": 0.0},
    }
    hashes = [
        Recipe.model_validate(fields | more).hash
        for more in ({}, {"residual_start": "zero"}, {"residual_start": "one"})
    ]
    assert hashes[0] == hashes[1] != hashes[2]
    with pytest.raises(ValueError, match="belongs to pretrained = 'none'"):
        Recipe.model_validate(fields | {"residual_start": "one", "pretrained": "imagenet"})
