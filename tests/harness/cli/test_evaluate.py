"""`evaluate` under many protocols: a trained run, and a features file, without training again."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from harness.store import open_store
from tests.conftest import SMALL, Harness


class Run(NamedTuple):
    """A finished run of a small method that says what it does without a modality."""

    folder: Path
    plugin: Path
    run_id: str
    metrics: dict[str, float]


@pytest.fixture(scope="module")
def branching(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The README's method, declaring that it skips the branch of an absent modality."""
    path = tmp_path_factory.mktemp("branching") / "branching.py"
    text = tiny.read_text().replace('name="tiny"', 'name="branching", missing="skip_branch"')
    path.write_text(text)
    return path


@pytest.fixture
def trained(harness: Harness, drawn: Path, branching: Path, tmp_path: Path) -> Run:
    out = tmp_path / "runs"
    words = ["run", "--method", "branching", "--plugin", branching, "--dataset", drawn]
    done = harness(*words, "--recipe", "smoke", *SMALL, "--out", out, "--json").json
    return Run(Path(done["record"]).parent, branching, done["run_id"], done["metrics"])


def _evaluate(harness: Harness, run: Run, drawn: Path, *protocols: str) -> Any:
    words: list[object] = ["evaluate", "--run", run.folder, "--plugin", run.plugin]
    words += ["--dataset", drawn, "--json"]
    for protocol in protocols:
        words += ["--protocol", protocol]
    answer = harness(*words)
    assert answer.code == 0, answer.err
    assert "epoch   1/" not in answer.err, "something was trained"
    return answer.json


def test_a_run_scores_again_what_it_scored(harness: Harness, drawn: Path, trained: Run) -> None:
    assert _evaluate(harness, trained, drawn)["metrics"] == trained.metrics
    found = _evaluate(harness, trained, drawn, "full")
    assert found["metrics"] == trained.metrics and found["missing_policy"] == "skip_branch"


def test_a_copied_run_is_evaluated_where_the_copy_is(
    harness: Harness, drawn: Path, trained: Run, tmp_path: Path
) -> None:
    copy = shutil.copytree(trained.folder.parents[1], tmp_path / "copy")
    words = ["evaluate", "--run", trained.run_id, "--plugin", trained.plugin, "--out", copy]
    answer = harness(*words, "--dataset", drawn, "--protocol", "full")
    assert answer.code == 0, answer.err
    own = copy / trained.folder.relative_to(trained.folder.parents[1])
    assert f"reading {own}\n" in answer.err
    assert (own / "evaluations.json").is_file()
    assert not (trained.folder / "evaluations.json").exists()


def test_every_protocol_that_applies_in_one_command(
    harness: Harness, drawn: Path, trained: Run
) -> None:
    found = _evaluate(harness, trained, drawn, "all", "corrupt-fog-3", "corrupt-saturate-5")
    by_name = {r["protocol"]: r for r in found["results"]}
    assert len(by_name) == 27 and len({r["protocol_hash"] for r in found["results"]}) == 27
    assert by_name["full"]["metrics"] == trained.metrics
    assert by_name["corrupt-fog-3"]["metrics"] != trained.metrics
    assert all(r["valid_queries"] == 16 and r["chance"]["mAP"] > 0 for r in by_name.values())
    six = [by_name[n]["metrics"]["mAP"] for n in by_name if n.startswith("-")]
    assert len(six) == 6
    assert found["means"]["missing"]["mAP"] == pytest.approx(sum(six) / 6)
    skipped = {s["protocol"]: s["reason"] for s in found["skipped"]}
    assert set(skipped) >= {"RGB", "RGB+TI", "RGB>TI@regdb", "NI>RGB@sysu"}
    assert "this model on RGB+NI+TI" in skipped["RGB+TI"]


def test_what_was_scored_is_rows_of_those_protocols_tables(
    harness: Harness, drawn: Path, trained: Run
) -> None:
    before = open_store(trained.folder.parents[1]).stamp()
    found = _evaluate(harness, trained, drawn, "full", "missing")
    assert open_store(trained.folder.parents[1]).stamp() != before, "a page must look again"
    by_name = {r["protocol"]: r["metrics"]["mAP"] for r in found["results"]}
    out = ("--out", trained.folder.parents[1])
    tables = harness("leaderboard", "--json", *out).json["tables"]
    rows = {t["protocol"]: [r for r in t["rows"] if r["kind"] == "run"] for t in tables}
    assert set(rows) == set(by_name) and all(len(some) == 1 for some in rows.values())
    for protocol, (row,) in rows.items():
        level = "reported" if protocol == "full" else "evaluated"
        assert row["trust"] == level and row["run_ids"] == [trained.run_id], protocol
        # Each query's outcome is kept, so that rows of other runs can be compared with it.
        assert row["metrics"]["mAP"] == by_name[protocol] and row["rank"] == [1, 1]
    assert harness("leaderboard", "explain", trained.run_id, *out).code == 0
    (line,) = harness("leaderboard", "--overview", *out, "--json").json["rows"]
    assert line[-1] == f"{found['means']['missing']['mAP']:.2f}"
    (folder,) = trained.folder.glob("evaluations")
    for file in folder.iterdir():
        file.write_text("{")
    tables = harness("leaderboard", "--json", *out).json["tables"]
    (row,) = next(t["rows"] for t in tables if t["protocol"] == "-NI")
    assert row["rank"] is None and row["metrics"]["mAP"] == by_name["-NI"]


def test_the_order_of_protocols_and_the_batch_change_no_number(
    harness: Harness, drawn: Path, trained: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    from harness.training import features

    names = ("corrupt-mixed", "random-missing-50", "corrupt-mixed-query")
    one = _evaluate(harness, trained, drawn, *names)
    monkeypatch.setattr(features, "BATCH", 5)
    two = _evaluate(harness, trained, drawn, *reversed(names))
    left, right = ({r["protocol"]: r["metrics"] for r in a["results"]} for a in (one, two))
    assert left == right


def test_the_table_names_means_and_what_was_skipped(
    harness: Harness, drawn: Path, trained: Run
) -> None:
    words = ["evaluate", "--run", trained.run_id, "--out", trained.folder.parents[1]]
    words += ["--plugin", trained.plugin, "--dataset", drawn]
    answer = harness(*words, "--protocol", "missing", "--protocol", "reduced")
    assert answer.code == 0
    for word in ("-RGB-NI", "mean of missing", "16 of 16", "skipped NI+TI: ", "skip_branch"):
        assert word in answer.out


def test_a_method_without_a_policy_is_refused_before_training(
    harness: Harness, drawn: Path, tiny: Path, tmp_path: Path
) -> None:
    words = ["run", "--method", "tiny", "--plugin", tiny, "--dataset", drawn, "--recipe", "smoke"]
    words += [*SMALL, "--out", tmp_path / "runs", "--json"]
    for name in ("-NI", "RGB>TI", "random-missing-10"):
        answer = harness(*words, "--protocol", name)
        assert answer.code == 2 and answer.error["kind"] == "ProtocolError"
        assert "policy 'none'" in answer.error["seen"] and name in answer.error["seen"]
        assert "epoch   1/" not in answer.err and not list(tmp_path.rglob("*.safetensors"))
    # Trained without the modality, nothing is absent.
    assert harness(*words, "--protocol", "RGB+TI").code == 0


def test_a_reduced_run_serves_its_cross_modal_convention(
    harness: Harness, drawn: Path, branching: Path, tmp_path: Path
) -> None:
    words = ["run", "--method", "branching", "--plugin", branching, "--dataset", drawn]
    words += ["--recipe", "smoke", *SMALL, "--out", tmp_path, "--json", "--protocol", "RGB+TI"]
    done = harness(*words).json
    run = Run(Path(done["record"]).parent, branching, done["run_id"], done["metrics"])
    found = _evaluate(harness, run, drawn, "regdb", "full", "cross")
    assert [r["protocol"] for r in found["results"]] == ["RGB>TI@regdb", "TI>RGB@regdb"]
    assert {s["protocol"] for s in found["skipped"]} >= {"full", "RGB>TI"}


def test_weights_that_are_not_the_records(harness: Harness, drawn: Path, trained: Run) -> None:
    weights = trained.folder / "weights.safetensors"
    weights.write_bytes(weights.read_bytes() + b" ")
    words = ["evaluate", "--run", trained.folder, "--plugin", trained.plugin, "--dataset", drawn]
    answer = harness(*words, "--json")
    assert answer.code == 2 and answer.error["kind"] == "RecordError"


@pytest.mark.parametrize(("name", "near"), [("missng", "missing"), ("RGB>T", "RGB>TI")])
def test_an_unknown_protocol_or_group(
    harness: Harness, drawn: Path, tmp_path: Path, name: str, near: str
) -> None:
    words = ["evaluate", "--features", tmp_path / "f.npz", "--dataset", drawn, "--protocol", name]
    error = harness(*words, "--json").error
    assert near in error["do"] and len(error["expected"]) < 300


def _parts(drawn: Path, path: Path) -> Path:
    names = np.array(sorted(p.name for p in (drawn / "test" / "RGB").iterdir()))
    parts = np.random.default_rng(1).standard_normal((3, len(names), 4)).astype(np.float32)
    np.savez(path, names=names, RGB=parts[0], NI=parts[1], TI=parts[2])
    return path


def test_features_by_modality_are_scored_under_every_protocol_they_can_be(
    harness: Harness, drawn: Path, tmp_path: Path
) -> None:
    path = _parts(drawn, tmp_path / "parts.npz")
    words = ["evaluate", "--features", path, "--dataset", drawn, "--protocol", "all", "--json"]
    found = harness(*words).json
    names = {r["protocol"] for r in found["results"]}
    assert {"full", "-NI", "RGB>TI", "RGB+TI>NI+TI", "RGB>NI@sysu", "random-missing-30"} <= names
    reasons = {s["protocol"]: s["reason"] for s in found["skipped"]}
    assert "width" in reasons["RGB+TI>NI"], "sides of another width cannot be compared"
    assert "does not say" in reasons["corrupt-mixed"]
    metrics = {r["protocol"]: r["metrics"] for r in found["results"]}
    assert metrics["-NI"] == metrics["RGB+TI"] != metrics["full"]
    assert metrics["random-missing-30"] != metrics["full"]


def test_one_array_is_refused_where_the_sides_differ(
    harness: Harness, drawn: Path, tmp_path: Path
) -> None:
    names = np.array(sorted(p.name for p in (drawn / "test" / "RGB").iterdir()))
    rows = np.random.default_rng(1).standard_normal((len(names), 4)).astype(np.float32)
    np.savez(tmp_path / "one.npz", names=names, features=rows)
    words = ["evaluate", "--features", tmp_path / "one.npz", "--dataset", drawn, "--json"]
    for name in ("RGB>TI", "corrupt-mixed-query"):
        error = harness(*words, "--protocol", name).error
        assert error["kind"] == "FeaturesError" and "one array" in error["seen"]
    # Made under that protocol, says who names it alone; not under six at once.
    assert harness(*words, "--protocol", "-NI").code == 0
    found = harness(*words, "--protocol", "full", "--protocol", "missing").json
    assert [r["protocol"] for r in found["results"]] == ["full"]
    assert len(found["skipped"]) == 6


@pytest.fixture
def accelerator(monkeypatch: pytest.MonkeyPatch) -> str:
    """What `--device cuda` chooses here: torch's CPU, under a name that stands for a GPU."""
    torch = pytest.importorskip("torch")
    monkeypatch.setattr("harness.training.device.choose_device", lambda _: torch.device("cpu:0"))
    return "cpu:0"


@pytest.fixture
def used(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Which of scoring, ranking and re-ranking were done on which device of torch."""
    pytest.importorskip("torch")
    from harness.rerank import on_device
    from harness.scoring import device

    found: list[tuple[str, str]] = []
    for module, name in (
        (device, "rank_features"),
        (device, "rank_matrix"),
        (on_device, "worker"),
    ):
        plain = getattr(module, name)

        def noted(*args: Any, plain: Any = plain, name: str = name) -> Any:
            found.append((name, args[-1]))
            return plain(*args)

        monkeypatch.setattr(module, name, noted)
    return found


def test_descriptors_are_scored_and_re_ranked_on_the_gpu_that_is_named(
    harness: Harness,
    drawn: Path,
    tmp_path: Path,
    accelerator: str,
    used: list[tuple[str, str]],
) -> None:
    path = _parts(drawn, tmp_path / "parts.npz")
    words = ["evaluate", "--features", path, "--dataset", drawn, "--protocol", "-NI", "--rerank"]
    on_cpu = harness(*words, "--json").json
    assert used == [] and on_cpu["scored_on"] == "cpu", "auto looks for no GPU for a file"
    on_gpu = harness(*words, "--device", "cuda", "--json").json
    names = ("rank_features", "worker", "rank_matrix")
    assert used == [(name, accelerator) for name in names]
    assert on_gpu["scored_on"] == accelerator
    assert {**on_gpu, "scored_on": "cpu"} == on_cpu


def test_a_run_and_its_evaluation_are_scored_where_it_was_trained(
    harness: Harness,
    drawn: Path,
    branching: Path,
    tmp_path: Path,
    accelerator: str,
    used: list[tuple[str, str]],
) -> None:
    words = ["run", "--method", "branching", "--plugin", branching, "--dataset", drawn]
    words += ["--recipe", "smoke", *SMALL, "--out", tmp_path, "--json"]
    done = harness(*words).json
    assert used == [("rank_features", accelerator)]
    run = Run(Path(done["record"]).parent, branching, done["run_id"], done["metrics"])
    found = _evaluate(harness, run, drawn)
    assert used == 2 * [("rank_features", accelerator)]
    assert found["metrics"] == run.metrics and found["scored_on"] == accelerator
    # Whoever verifies computes on the CPU, and finds the same.
    answer = harness("verify", run.folder, "--plugin", branching, "--dataset", drawn, "--json")
    assert answer.code == 0, answer.out
    assert len(used) == 2


def test_the_next_corrupted_batch_is_made_while_a_device_embeds(
    harness: Harness, drawn: Path, trained: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch = pytest.importorskip("torch")
    from harness.training import batches, features

    monkeypatch.setattr(features, "BATCH", 5)
    threads: list[str] = []
    plain = batches.Batches.test

    def noted(self: Any, *args: Any, **kwargs: Any) -> Any:
        threads.append(threading.current_thread().name)
        return plain(self, *args, **kwargs)

    monkeypatch.setattr(batches.Batches, "test", noted)
    on_cpu = _evaluate(harness, trained, drawn, "corrupt-mixed")
    assert set(threads) == {threading.main_thread().name}
    threads.clear()
    monkeypatch.setattr("harness.training.device.choose_device", lambda _: torch.device("cpu:0"))
    on_device = _evaluate(harness, trained, drawn, "corrupt-mixed")
    assert threads and threading.main_thread().name not in threads
    assert on_device["metrics"] == on_cpu["metrics"]


def test_a_device_that_is_not_there_is_named(harness: Harness, drawn: Path, tmp_path: Path) -> None:
    words = ["evaluate", "--features", _parts(drawn, tmp_path / "parts.npz"), "--dataset", drawn]
    error = harness(*words, "--device", "cdua", "--json").error
    assert error["kind"] == "UnknownNameError" and "device" in error["seen"]
