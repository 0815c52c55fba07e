"""Who is told the camera of an image, and which data are refused for their cameras."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.base.errors import ProtocolError
from harness.evidence.features_file import read_own
from harness.runs.plan import plan_run
from harness.spec.method import MethodInfo
from harness.spec.plugins import load_plugins
from harness.training.weights import read_about
from reid_datasets.synthesize import write_parallel
from tests.conftest import SMALL, Answer, Harness

METHOD = '''
import torch
from pydantic import BaseModel, ConfigDict
from torch import nn

from harness import MethodInfo


class Config(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    sie: bool = True


class Cameras:
    """The first column of a descriptor is 1 + the camera it was told, or 0."""

    def build(self, config, data):
        body = nn.Sequential(nn.AdaptiveAvgPool2d(2), nn.Flatten())
        table = nn.Embedding(max(data.cameras, 1), 12)
        head = nn.Linear(12, data.classes)
        return nn.ModuleDict({"body": body, "table": table, "head": head})

    def embed(self, model, batch):
        pooled = sum(model["body"](x) for x in batch.images.values())
        told = torch.zeros(len(pooled), 1) if batch.camids is None else batch.camids[:, None] + 1.0
        return torch.cat([told, pooled], 1)

    def loss(self, model, batch):
        pooled = sum(model["body"](x) for x in batch.images.values())
        if batch.camids is not None:
            assert batch.camids.dtype == torch.int64 and batch.camids.shape == batch.pids.shape
            pooled = pooled + model["table"](batch.camids)
        return {"id": nn.functional.cross_entropy(model["head"](pooled), batch.pids)}


METHOD = MethodInfo(
    name="cameras", target=f"{__name__}:Cameras", config=Config, missing="zero_normalised",
    tags=("test-camera",), camera_switch="sie",
)
'''


def _names(pids: range, cameras: tuple[int, ...]) -> list[str]:
    return [f"{p:06d}_cam{c}_0_{i:02d}.jpg" for p in pids for c in cameras for i in range(2)]


Draw = Callable[..., Path]


@pytest.fixture(scope="module")
def draw(tmp_path_factory: pytest.TempPathFactory) -> Draw:
    """Draws a set whose train and test images are of these cameras, counted from 1."""

    def drawn(train: tuple[int, ...], test: tuple[int, ...], identities: int = 5) -> Path:
        out = tmp_path_factory.mktemp("cameras") / "set"
        known, new = range(1, 1 + identities), range(101, 105)
        folders = {"train_171": _names(known, train), "test": _names(new, test)}
        write_parallel(out, folders, seed=3, size=(64, 32), name="tests")
        return out

    return drawn


@pytest.fixture(scope="module")
def usual(draw: Draw) -> Path:
    """Trained on three cameras, tested on the last two of them."""
    return draw((2, 3, 5), (3, 5))


@pytest.fixture(scope="module")
def plugin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("plugin") / "cameras.py"
    path.write_text(METHOD)
    return path


Run = Callable[..., Answer]


@pytest.fixture
def run(harness: Harness, plugin: Path, tmp_path: Path) -> Run:
    def started(data: Path, *more: object) -> Answer:
        words = ["run", "--method", "cameras", "--plugin", plugin, "--recipe", "smoke", *SMALL]
        return harness(*words, "--dataset", data, "--out", tmp_path / "runs", "--json", *more)

    return started


def _told(folder: Path) -> list[set[tuple[int, float]]]:
    """For each side, which camera was told as what."""
    sides = read_own(folder / "features.npz")
    found = []
    for side in sides:
        assert side.labels.camids is not None
        column = side.features[:, 0].astype(float)
        found.append(set(zip(side.labels.camids.tolist(), column.tolist(), strict=True)))
    return found


@pytest.mark.parametrize("protocol", ["full", "-NI", "random-missing-50", "corrupt-fog-3"])
def test_cameras_are_counted_in_the_order_of_train(run: Run, usual: Path, protocol: str) -> None:
    answer = run(usual, "--protocol", protocol)
    assert answer.code == 0, answer.err
    folder = Path(answer.json["record"]).parent
    # Cameras 2, 3 and 5 are 1, 2 and 4 in a sample, and 0, 1 and 2 to the method.
    assert _told(folder) == [{(2, 2.0), (4, 3.0)}] * 2
    assert read_about(folder / "weights.safetensors")["cameras"] == [1, 2, 4]


def test_held_out_identities_keep_theirs(run: Run, draw: Draw) -> None:
    answer = run(draw((2, 3, 5), (3, 5), identities=20), "--protocol", "validation")
    assert answer.code == 0, answer.err
    wanted = {(1, 1.0), (2, 2.0), (4, 3.0)}
    assert _told(Path(answer.json["record"]).parent) == [wanted] * 2


def test_the_switch_and_the_missing_tag_keep_them_away_at_test(
    run: Run, usual: Path, plugin: Path
) -> None:
    answer = run(usual, "--set", "config.sie=false")
    assert answer.code == 0, answer.err
    assert _told(Path(answer.json["record"]).parent) == [{(2, 0.0), (4, 0.0)}] * 2
    untagged = plugin.with_name("untagged.py")
    text = re.sub(r'\s*tags=.*camera_switch="sie",', "", METHOD)
    untagged.write_text(text.replace('name="cameras"', 'name="untagged"'))
    answer = run(usual, "--plugin", untagged, "--method", "untagged")
    assert answer.code == 0, answer.err
    assert _told(Path(answer.json["record"]).parent) == [{(2, 0.0), (4, 0.0)}] * 2


@pytest.mark.parametrize(
    ("train", "test", "words"),
    [
        ((2, 3), (3, 5), "the cameras 4 (counted from 0)"),
        ((1,), (1, 2), "the cameras 1 (counted from 0)"),
    ],
)
def test_a_camera_that_train_lacks_ends_before_training(
    run: Run, draw: Draw, tmp_path: Path, train: tuple[int, ...], test: tuple[int, ...], words: str
) -> None:
    data = draw(train, test)
    answer = run(data)
    assert answer.code == 2 and answer.error["kind"] == "ProtocolError"
    assert words in answer.error["seen"] and "are at test and not in train" in answer.error["seen"]
    assert "--set config.sie=false" in answer.error["do"]
    assert not (tmp_path / "runs").exists()
    assert run(data, "--set", "config.sie=false").code == 0


def test_a_set_without_cameras_is_refused(plugin: Path, drawn: Path, tmp_path: Path) -> None:
    rows = ["RGB,NI,TI,pid,split"]
    for folder, split in (("train_171", "train"), ("test", "query"), ("test", "gallery")):
        found = sorted(p.name for p in (drawn / folder / "RGB").iterdir())
        chosen = found if split == "train" else found[split == "gallery" :: 2]
        for name in chosen:
            paths = ",".join(str(drawn / folder / m / name) for m in ("RGB", "NI", "TI"))
            rows.append(f"{paths},{int(name[:6])},{split}")
    manifest = tmp_path / "plain.csv"
    manifest.write_text("\n".join(rows) + "\n")
    known = load_plugins([plugin])
    with pytest.raises(ProtocolError, match="names no cameras") as caught:
        plan_run("cameras", dataset=str(manifest), recipe="smoke", plugins=known)
    assert "config.sie=false" in caught.value.do
    off = plan_run(
        "cameras", dataset=str(manifest), recipe="smoke", changes=["sie=false"], plugins=known
    )
    assert off.cameras == () and not off.cameras_at_test


def test_weights_know_their_cameras_on_other_data(
    run: Run, harness: Harness, usual: Path, draw: Draw, plugin: Path, tmp_path: Path
) -> None:
    """Of another set, camera 3 is its first; to these weights it is their second."""
    folder = Path(run(usual).json["record"]).parent
    other, strange = draw((3, 5), (3, 5)), draw((3, 7), (3, 7))
    here = harness(
        "evaluate", "--run", folder, "--plugin", plugin, "--dataset", usual, "--json"
    ).json
    assert here["metrics"] == run(usual).json["metrics"]
    words = ["evaluate", "--checkpoint", folder / "weights.safetensors", "--plugin", plugin]
    answer = harness(*words, "--dataset", usual, "--json")
    assert answer.json["metrics"] == here["metrics"]
    # Both test sets hold the same pictures, so the same columns give the same numbers.
    assert harness(*words, "--dataset", other, "--json").json["metrics"] == here["metrics"]
    answer = harness(*words, "--dataset", strange, "--json")
    assert answer.code == 2 and "the cameras 6 (counted from 0)" in answer.error["seen"]
    assert "1, 2, 4" in answer.error["expected"]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"camera_switch": "sie"}, "belongs to a method with the tag"),
        ({"camera_switch": "sie", "tags": ("test-camera",)}, "has no key 'sie'"),
    ],
)
def test_a_switch_that_cannot_be_one(fields: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        MethodInfo.model_validate({"name": "m", "target": "m:M", **fields})
