"""A recipe that resizes training images otherwise than test images has an array for each."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from harness.data.images import read_image
from harness.runs.plan import Plan, plan_run
from harness.runs.workshop import open_workshop
from tests.conftest import SMALL, Harness

CPU = torch.device("cpu")
STILL = ("augmentation.flip=0.0", "input.mean=[0.5, 0.5, 0.5]", "input.std=[0.5, 0.5, 0.5]")


def _plan(drawn: Path, *changes: str) -> Plan:
    return plan_run("ieee", dataset=str(drawn), recipe="smoke", changes=[*SMALL[1::2], *changes])


def _first(plan: Plan, how: Image.Resampling) -> torch.Tensor:
    """The first train sample's RGB image, normalised to -1..1 by hand."""
    path = plan.data.samples("train")[0].paths["RGB"]
    pixels = np.asarray(read_image(path).resize((32, 64), how), dtype=np.float32)
    return torch.from_numpy(pixels / 255 * 2 - 1).permute(2, 0, 1)


@pytest.mark.parametrize("way", ["bilinear", "bicubic"])
def test_training_images_are_resized_as_the_recipe_says(drawn: Path, way: str) -> None:
    plan = _plan(drawn, *STILL, f"input.train_resize={way}")
    shop = open_workshop(plan, CPU)
    batches = shop.training_batches()
    assert (batches is shop.batches) is (way == "bilinear")
    rows = batches.arrays.rows["train"][:2]
    shown = batches.training(rows, np.zeros(2, np.int64), ("RGB",), torch.Generator())
    wanted = _first(plan, Image.Resampling[way.upper()])
    torch.testing.assert_close(shown.images["RGB"][0], wanted, rtol=0, atol=1e-6)
    assert shown.camids is not None and shown.camids.tolist() == [0, 0]
    at_test = shop.batches.test(shop.arrays.rows["train"][:1], ("RGB",))
    plain = _first(plan, Image.Resampling.BILINEAR)
    torch.testing.assert_close(at_test.images["RGB"][0], plain, rtol=0, atol=1e-6)


def test_a_run_by_the_papers_augmentation_gives_the_same_digits_twice(
    harness: Harness, drawn: Path, tiny: Path, tmp_path: Path
) -> None:
    words: list[object] = ["run", "--method", "tiny", "--plugin", tiny, "--dataset", drawn]
    words += ["--recipe", "smoke", *SMALL, "--json"]
    for change in (
        *STILL[1:],
        "input.train_resize=bicubic",
        "augmentation.pad=4",
        "augmentation.erase=0.5",
        "augmentation.erase_fill=noise",
        "augmentation.erase_area=[0.02, 0.3333333333333333]",
        "schedule.kind=cosine_to_floor",
        "schedule.floor=0.001",
        "schedule.noise=timm-42",
        "optimiser.bias_lr_factor=2.0",
    ):
        words += ["--set", change]
    one, two = (harness(*words, "--out", tmp_path / name) for name in ("a", "b"))
    assert one.code == two.code == 0, one.err
    assert one.json["metrics"] == two.json["metrics"]
    verified = harness("verify", Path(one.json["record"]).parent, "--plugin", tiny)
    assert verified.code == 0, verified.err
