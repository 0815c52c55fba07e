"""Sides of different modalities, as a method's `pair` has them compared, through every door."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.evidence.features_file import Side, read_own
from harness.runs.evaluation import evaluate, evaluate_reranked
from harness.spec.plugins import load_plugins
from harness.spec.protocol import BoundProtocol
from harness.verify import Finder, verify
from tests.conftest import SMALL, Harness
from tests.forging import rewrite, said
from tests.harness.launched import launched

PROTOCOL = "RGB+TI>NI+TI"
WIDE = {PROTOCOL: 48, "RGB+TI>NI": 24}
"""Columns that the method below compares."""
ALIKE = ("-NI", "full")
PAIR = """
class Pairing(Tiny):
    def pair(self, model, slots, query_modalities, gallery_modalities):
        assert query_modalities != gallery_modalities and not model.training
        query, gallery = (side.mul_(2) for side in slots)
        width = 24 * (1 + len(set(query_modalities) & set(gallery_modalities)))
        return query[:, :width], gallery[:, -width:]
METHOD = METHOD.model_copy(update={"name": "pairing", "target": f"{__name__}:Pairing"})
"""


@pytest.fixture(scope="module")
def plugins(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The README's method where modalities may be absent, without a `pair` and with one."""
    folder = tmp_path_factory.mktemp("pairing")
    plain = tiny.read_text().replace('name="tiny"', 'name="plain", missing="skip_branch"')
    texts = {"plain": plain, "pairing": plain + PAIR}
    for name, text in texts.items():
        (folder / f"{name}.py").write_text(text)
    return {name: folder / f"{name}.py" for name in texts}


def words(plugins: dict[str, Path], name: str, drawn: Path, protocol: str, out: Path) -> list[Any]:
    method = ["--method", name, "--plugin", plugins[name], "--dataset", drawn]
    return ["run", *method, "--protocol", protocol, "--recipe", "smoke", *SMALL, "--out", out]


@pytest.fixture(scope="module")
def made(
    plugins: dict[str, Path], drawn: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """Two finished runs of the same weights, the folders by the methods' names."""
    from harness.runs.plan import plan_run
    from harness.runs.run import execute

    folders = {}
    for name, plugin in plugins.items():
        plan = plan_run(
            name,
            dataset=str(drawn),
            protocol=PROTOCOL,
            recipe="smoke",
            changes=SMALL[1::2],
            out=tmp_path_factory.mktemp(name),
            plugins=load_plugins([plugin]),
        )
        folders[name] = execute(plan, 40).path.parent
    return folders


def compared(sides: tuple[Side, Side], protocol: str) -> tuple[Side, Side]:
    """What the method above is to make of the sides of the one without a `pair`."""
    query, gallery = sides
    width = WIDE[protocol]
    return (
        query._replace(features=2 * query.features[:, :width]),
        gallery._replace(features=2 * gallery.features[:, -width:]),
    )


def test_a_run_keeps_and_scores_what_the_pair_gave(made: dict[str, Path], drawn: Path) -> None:
    slots = read_own(made["plain"] / "features.npz")
    kept = read_own(made["pairing"] / "features.npz")
    for side, wanted in zip(kept, compared(slots, PROTOCOL), strict=True):
        np.testing.assert_array_equal(side.features, wanted.features)
        assert side.names == wanted.names
    bound = BoundProtocol.model_validate(said(made["pairing"], "protocol"))
    assert said(made["pairing"], "metrics") == evaluate(*kept, bound).metrics
    assert said(made["pairing"], "cost")["descriptor"] == WIDE[PROTOCOL]
    assert said(made["plain"], "cost")["descriptor"] == slots[0].features.shape[1] == 512
    hashes = {name: said(folder, "protocol_hash") for name, folder in made.items()}
    assert hashes["plain"] == hashes["pairing"], "it is the same protocol for all methods"
    assert said(made["plain"], "metrics") == evaluate(*slots, bound).metrics
    assert said(made["plain"], "metrics") != said(made["pairing"], "metrics")


def test_verify_computes_it_again_and_names_what_was_changed(
    made: dict[str, Path], drawn: Path, plugins: dict[str, Path], tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(made["pairing"], tmp_path / "run"))
    finder = Finder(load_plugins([plugins["pairing"]]), str(drawn))
    checks = verify(folder / "record.json", finder)
    assert {c.status for c in checks} == {"holds"}
    slots = dict(np.load(made["plain"] / "features.npz"))
    rewrite(folder, "features.npz", lambda arrays: arrays.update(slots))
    failing = {c.name for c in verify(folder / "record.json", finder) if c.problem}
    assert {"descriptor", "rank lists"} <= failing


def test_evaluate_pairs_by_the_protocol_that_is_asked_for(
    harness: Harness, made: dict[str, Path], drawn: Path, plugins: dict[str, Path]
) -> None:
    """Of a run and of a checkpoint, re-ranked, too; where both sides are alike it is not asked."""
    asked: list[Any] = ["--plugin", plugins["pairing"], "--dataset", drawn, "--json", "--rerank"]
    for name in (*WIDE, *ALIKE):
        asked += ["--protocol", name]
    folder = made["pairing"]
    weights = ["--checkpoint", folder / "weights.safetensors", "--method", "pairing"]
    answers = [harness("evaluate", *by, *asked).json for by in (["--run", folder], weights)]
    plain = [*asked]
    plain[1] = plugins["plain"]
    without = harness("evaluate", "--run", made["plain"], *plain).json
    by_run, by_checkpoint, by_plain = (
        {r["protocol"]: r for r in answer["results"]} for answer in (*answers, without)
    )
    assert set(by_run) == {*WIDE, *ALIKE}
    assert by_run[PROTOCOL]["metrics"] == said(folder, "metrics")
    for name, result in by_run.items():
        for kind in ("metrics", "reranked", "protocol_hash"):
            assert result[kind] == by_checkpoint[name][kind]
    assert by_run["full"]["metrics"] == by_plain["full"]["metrics"]
    # What the pairs did in place to the descriptors of RGB+TI is not seen by the next protocol.
    assert by_run["-NI"]["metrics"] == by_plain["-NI"]["metrics"]
    assert by_run["RGB+TI>NI"]["metrics"] != by_plain["RGB+TI>NI"]["metrics"]
    kept = read_own(folder / "features.npz")
    bound = BoundProtocol.model_validate(said(folder, "protocol"))
    wanted = evaluate_reranked(*kept, bound).metrics
    assert by_run[PROTOCOL]["reranked"]["metrics"] == wanted


@pytest.mark.parametrize(
    ("change", "seen"),
    [
        (("gallery[:, -width:]", "gallery[:, 1 - width:]"), "(16, 48) and (16, 47)"),
        (("query[:, :width]", "query[1:, :width]"), "(15, 48) and (16, 48) for 16 queries"),
        (("query[:, :width]", "query[:, :width] / 0 * 0"), "NaN"),
        (("return query[:, :width], gallery[:, -width:]", "return query"), "gave (16, 512) for"),
    ],
)
def test_what_cannot_be_compared_is_said_and_the_training_kept(
    harness: Harness,
    drawn: Path,
    plugins: dict[str, Path],
    tmp_path: Path,
    change: tuple[str, str],
    seen: str,
) -> None:
    path = tmp_path / "pairing.py"
    path.write_text(plugins["pairing"].read_text().replace(*change))
    answer = harness(*words({"pairing": path}, "pairing", drawn, PROTOCOL, tmp_path), "--json")
    assert answer.code == 2 and answer.error["kind"] == "FeaturesError"
    assert seen in answer.error["seen"] and "pair()" in answer.error["do"]
    assert len(list(tmp_path.glob("*/40/weights.safetensors"))) == 1


@pytest.mark.slow
def test_two_processes_pair_as_one(
    harness: Harness, drawn: Path, plugins: dict[str, Path], tmp_path: Path
) -> None:
    """What two embedded and scored is what one process makes of the same weights."""
    started = words(plugins, "pairing", drawn, PROTOCOL, tmp_path)
    made = launched("-m", "harness.cli", *started, "--json")
    assert made.code == 0, made.err
    folder = Path(made.json["record"]).parent
    finder = Finder(load_plugins([plugins["pairing"]]), str(drawn))
    assert not [c for c in verify(folder / "record.json", finder) if c.problem]
    assert read_own(folder / "features.npz")[0].features.shape[1] == WIDE[PROTOCOL]
    asked = ["--run", folder, "--plugin", plugins["pairing"], "--dataset", drawn, "--json"]
    assert harness("evaluate", *asked).json["metrics"] == made.json["metrics"]
