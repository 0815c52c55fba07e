"""Who is given captions, which ones under which protocol, and what that makes of a run."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from harness.data import tokens
from harness.data.captions import Caption, write_captions
from harness.evidence.features_file import read_own
from tests.conftest import SMALL, Answer, Harness, small_names

METHOD = '''
import torch
from torch import nn

from harness import MethodInfo


class Said:
    """The first columns of a descriptor are how many ids of each modality it was given."""

    def build(self, config, data):
        return nn.ModuleDict({"body": nn.AdaptiveAvgPool2d(2), "head": nn.Linear(12, data.classes)})

    def text_prompt(self, config, modality):
        return (320,)

    def embed(self, model, batch):
        text = batch.text or {}
        n = len(batch.pids)
        told = [(text[m] > 0).sum(1) if m in text else torch.zeros(n) for m in ("RGB", "NI", "TI")]
        pooled = sum(model["body"](x).flatten(1) for x in batch.images.values())
        return torch.cat([torch.stack(told, 1).float(), pooled], 1)

    def loss(self, model, batch):
        if METHOD.tags:
            assert set(batch.text) == set(batch.images)
            for ids in batch.text.values():
                assert ids.shape == (len(batch.pids), 77) and ids.dtype == torch.int64
                assert (ids[:, :2] == torch.tensor([49406, 320])).all()
        else:
            assert batch.text is None
        pooled = sum(model["body"](x).flatten(1) for x in batch.images.values())
        return {"id": nn.functional.cross_entropy(model["head"](pooled), batch.pids)}


METHOD = MethodInfo(
    name="said", target=f"{__name__}:Said", missing="zero_normalised", tags=("text-at-test",),
)
'''
EMPTY = 3
"""Ids of an empty caption: the start, what the method puts first, and the end."""

Run = Callable[..., Answer]


@pytest.fixture
def told(damaged: Path) -> Path:
    """A set whose captions have 3 words in RGB, 4 in NI and 5 in TI, an id each."""
    words = {"RGB": "a red coat", "NI": "a very bright coat", "TI": "a cold bag and coat"}
    names = [*small_names(range(1, 6)), *small_names(range(11, 15))]
    write_captions(
        damaged / "captions.json", [Caption(n, m, w) for n in names for m, w in words.items()]
    )
    return damaged


SAID = {"RGB": EMPTY + 3, "NI": EMPTY + 4, "TI": EMPTY + 5}


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    path = tmp_path / "said.py"
    path.write_text(METHOD)
    return path


@pytest.fixture
def run(harness: Harness, plugin: Path, tmp_path: Path) -> Run:
    def started(data: Path, *more: object) -> Answer:
        words = ["run", "--method", "said", "--plugin", plugin, "--recipe", "smoke", *SMALL]
        return harness(*words, "--dataset", data, "--out", tmp_path / "runs", "--json", *more)

    return started


def _lengths(answer: Answer) -> NDArray[np.int64]:
    """(queries, 3) ids that were given of RGB, NI and TI."""
    assert answer.code == 0, answer.err
    query, _ = read_own(Path(answer.json["record"]).parent / "features.npz")
    found: NDArray[np.int64] = query.features[:, :3].astype(np.int64)
    return found


@pytest.mark.parametrize(
    ("protocol", "wanted"),
    [
        ("full", {(SAID["RGB"], SAID["NI"], SAID["TI"])}),
        ("corrupt-fog-3", {(SAID["RGB"], SAID["NI"], SAID["TI"])}),
        ("-NI", {(SAID["RGB"], 0, SAID["TI"])}),
        ("-NI@captions", {(SAID["RGB"], SAID["NI"], SAID["TI"])}),
        ("RGB>TI", {(SAID["RGB"], 0, 0)}),
    ],
)
def test_captions_go_with_their_images(
    run: Run, told: Path, protocol: str, wanted: set[tuple[int, ...]]
) -> None:
    assert set(map(tuple, _lengths(run(told, "--protocol", protocol)).tolist())) == wanted


def test_an_image_left_out_at_random_says_nothing(run: Run, told: Path) -> None:
    found = _lengths(run(told, "--protocol", "random-missing-50"))
    for column, modality in enumerate(("RGB", "NI", "TI")):
        assert set(found[:, column].tolist()) == {EMPTY, SAID[modality]}
    assert (found > EMPTY).any(1).all(), "every sample keeps an image"


def test_the_record_says_it_and_the_checks_know_it(
    run: Run, told: Path, harness: Harness, plugin: Path, tmp_path: Path
) -> None:
    first = run(told)
    assert first.code == 0, first.err
    folder = Path(first.json["record"]).parent
    record = json.loads((folder / "record.json").read_text())
    about = record["dataset"]
    assert about["captions"]["captioned"] == about["captions"]["images"] == 108
    assert about["label"].endswith(f"+captions@{about['captions']['hash'][:8]}")
    assert record["recipe"]["dataset"] == about["label"]
    assert about["data_hash"] != about["pictures_hash"]
    here = ("--plugin", plugin, "--dataset", told)
    verified = harness("verify", folder, *here)
    assert verified.code == 0, verified.err + verified.out
    bundle = tmp_path / "run.zip"
    assert harness("submit", folder, "--plugin", plugin, "--to", bundle).code == 0
    assert harness("verify", bundle, *here).code == 0
    again = harness("reproduce", folder, *here, "--out", tmp_path / "runs")
    assert again.code == 0, again.err + again.out
    scored = harness("evaluate", "--run", folder, *here, "--protocol", "-TI", "--json")
    assert scored.code == 0 and scored.json["data_hash"] == about["data_hash"]
    rows = json.loads((told / "captions.json").read_text())
    rows[0]["text"] += " again"
    (told / "captions.json").write_text(json.dumps(rows))
    other = harness("verify", folder, *here)
    assert other.code == 2 and "fails        data set" in other.out
    assert about["label"] in other.out, "both labels name their captions"
    assert harness("reproduce", folder, *here, "--out", tmp_path / "runs").code == 2
    second = run(told)
    assert second.code == 0 and second.json["data_hash"] != first.json["data_hash"]
    assert Path(second.json["record"]).parent.parent != folder.parent, "another recipe"


def test_tables_show_who_was_told(
    run: Run, told: Path, harness: Harness, tiny: Path, tmp_path: Path
) -> None:
    assert run(told).code == 0
    words = ["--dataset", told, "--out", tmp_path / "runs", "--recipe", "smoke", *SMALL]
    assert harness("run", "--method", "tiny", "--plugin", tiny, *words).code == 0
    answer = harness("export", "--out", tmp_path / "runs", "--format", "json")
    (table,) = answer.json if isinstance(answer.json, list) else [answer.json]
    assert "captions" not in table["title"]
    tags = {row["method"].split()[0]: row["tags"] for row in table["rows"]}
    assert "text-at-test, captions:" in tags["said"] and "text" not in tags["tiny"]


def test_nobody_else_is_told_and_keeping_captions_is_no_protocol_for_them(
    run: Run, told: Path, plugin: Path
) -> None:
    plugin.write_text(METHOD.replace('tags=("text-at-test",),', ""))
    assert not _lengths(run(told)).any()
    answer = run(told, "--protocol", "-NI@captions")
    assert answer.code == 2 and "is given none" in answer.error["seen"]


def test_data_without_captions_are_refused_before_training(run: Run, told: Path) -> None:
    write_captions(told / "captions.json", [Caption("nobody.jpg", "RGB", "a coat")])
    answer = run(told)
    assert answer.code == 2 and "says nothing of any image" in answer.error["seen"]
    (told / "captions.json").unlink()
    answer = run(told)
    assert answer.code == 2 and "has no captions" in answer.error["seen"]
    assert "harness data captions" in answer.error["do"]


def test_without_the_tokenizer_the_extra_is_named(
    run: Run, told: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "find_spec", lambda name: None)
    answer = run(told)
    assert answer.code == 2 and "pip install 'mmreid-harness[text]'" in answer.error["do"]
