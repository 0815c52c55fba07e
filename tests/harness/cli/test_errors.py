"""Bad input: what was seen, what was expected, what to do, exit code 2, nothing half-written."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import SMALL, Answer, Harness


def _check_error(answer: Answer, kind: str, *words: str) -> dict[str, str]:
    """The error, after checking its kind, exit code and that its text names `words`."""
    assert answer.code == 2, answer.err
    error = answer.error
    assert error["kind"] == kind
    text = " ".join(error.values())
    for word in words:
        assert word in text, f"{word!r} is not in: {text}"
    assert "Traceback" not in answer.err
    assert f"error: {error['seen']}" in answer.err
    return error


@pytest.mark.parametrize(
    ("words", "near"),
    [
        (["--method", "iee"], "ieee"),
        (["--method", "ieee", "--dataset", "rgbnt210"], "rgbnt201"),
        (["--method", "ieee", "--protocol", "ful"], "full"),
        (["--method", "ieee", "--recipe", "smok"], "smoke"),
        (["--method", "ieee", "--set", "optimizer.lr=1"], "optimiser.lr"),
        (["--method", "ieee", "--set", "config.margn=1"], "config.margin"),
        (["--method", "ieee", "--set", "epoch=1"], "epochs"),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest(
    harness: Harness, words: list[str], near: str, tmp_path: Path
) -> None:
    out = tmp_path / "runs"
    error = _check_error(harness("run", *words, "--out", out, "--json"), "UnknownNameError")
    assert error["do"] == f"did you mean {near!r}?"
    assert not out.exists()


@pytest.mark.parametrize(
    ("change", "word"),
    [("epochs=0", "greater than"), ("input.height=x", "integer"), ("novalue", "key=value")],
)
def test_a_bad_value_names_its_key(harness: Harness, change: str, word: str) -> None:
    answer = harness("run", "--method", "ieee", "--set", change, "--json")
    _check_error(answer, "RecipeError", change.split("=", maxsplit=1)[0], word)


def test_an_unknown_key_in_a_recipe_file(harness: Harness, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('track = "smoke"\nepochs = 1\nbatchsize = 3\n')
    _check_error(harness("run", "--method", "ieee", "--recipe", path, "--json"), "UnknownNameError")
    path.write_text("epochs = = 1")
    answer = harness("run", "--method", "ieee", "--recipe", path, "--json")
    _check_error(answer, "RecipeError", "line 1")


def test_a_named_set_that_is_not_here_is_never_replaced(
    harness: Harness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    answer = harness("run", "--method", "ieee", "--dataset", "rgbnt201", "--json")
    _check_error(answer, "DatasetNotFoundError", "train_171", "HARNESS_DATA", "Google Drive")
    answer = harness("run", "--method", "ieee", "--dataset", "./nowhere", "--json")
    _check_error(answer, "DatasetNotFoundError", "there is no folder ./nowhere")


def _run(harness: Harness, root: Path, out: Path) -> Answer:
    words = ["run", "--method", "ieee", "--dataset", root, "--recipe", "smoke", "--out", out]
    answer = harness(*words, "--json")
    assert not list(out.glob("*/*/*")), "something of the run was written"
    return answer


def test_a_folder_of_no_layout(harness: Harness, tmp_path: Path) -> None:
    (tmp_path / "set" / "images").mkdir(parents=True)
    answer = _run(harness, tmp_path / "set", tmp_path / "out")
    _check_error(answer, "DatasetNotFoundError", "no known layout", "images", "train_171/")


def test_a_modality_folder_missing(harness: Harness, damaged: Path, tmp_path: Path) -> None:
    shutil.rmtree(damaged / "train_171" / "NI")
    _check_error(_run(harness, damaged, tmp_path / "out"), "LayoutError", "NI", "RGB, TI")


def test_one_ti_file_missing(harness: Harness, damaged: Path, tmp_path: Path) -> None:
    gone = sorted((damaged / "test" / "TI").iterdir())[3]
    gone.unlink()
    answer = _run(harness, damaged, tmp_path / "out")
    _check_error(answer, "IncompleteTripletError", gone.name, "RGB+NI but no TI", str(gone))


def test_a_file_name_outside_the_grammar(harness: Harness, damaged: Path, tmp_path: Path) -> None:
    for modality in ("RGB", "NI", "TI"):
        first = sorted((damaged / "train_171" / modality).iterdir())[0]
        first.rename(first.with_name("person1.jpg"))
    answer = _run(harness, damaged, tmp_path / "out")
    _check_error(answer, "FileNameError", "person1.jpg", "6 digits", "_cam")


def test_a_truncated_jpeg(harness: Harness, damaged: Path, tmp_path: Path) -> None:
    path = sorted((damaged / "train_171" / "TI").iterdir())[2]
    path.write_bytes(path.read_bytes()[:400])
    answer = _run(harness, damaged, tmp_path / "out")
    _check_error(answer, "UnreadableImageError", path.name, "cannot be decoded", "400 bytes")


def test_a_web_page_called_jpg(harness: Harness, damaged: Path, tmp_path: Path) -> None:
    path = sorted((damaged / "test" / "RGB").iterdir())[0]
    path.write_text("<!DOCTYPE html><title>Sign in</title>")
    answer = _run(harness, damaged, tmp_path / "out")
    _check_error(answer, "UnreadableImageError", path.name, "<!DOCTYPE html>", "web page")


def test_a_pipe_called_jpg_is_not_waited_for(
    harness: Harness, damaged: Path, tmp_path: Path
) -> None:
    path = sorted((damaged / "test" / "RGB").iterdir())[0]
    path.unlink()
    os.mkfifo(path)
    answer = _run(harness, damaged, tmp_path / "out")
    _check_error(answer, "UnreadableImageError", path.name, "cannot be read")


def test_an_identity_of_train_in_test(harness: Harness, damaged: Path, tmp_path: Path) -> None:
    for modality in ("RGB", "NI", "TI"):
        source = damaged / "test" / modality / "000011_cam1_0_00.jpg"
        shutil.copy(source, damaged / "train_171" / modality)
    answer = _run(harness, damaged, tmp_path / "out")
    _check_error(answer, "IdentityLeakError", "000011_cam1_0_00.jpg", "11")
    report = harness("data", "check", damaged, "--json")
    assert report.code == 2
    assert [p["kind"] for p in report.json["problems"]] == ["IdentityLeakError"]


def test_no_query_with_a_match_the_filter_keeps(
    harness: Harness, damaged: Path, tmp_path: Path
) -> None:
    for path in (damaged / "test").glob("*/*_cam2_*"):
        path.unlink()
    answer = _run(harness, damaged, tmp_path / "out")
    _check_error(
        answer,
        "UnmatchedQueryError",
        "8 of 8 queries have no match",
        "same_pid_same_cam removes every match of 8",
        "000011_cam1_0_00.jpg",
    )


def test_one_query_without_a_match_is_a_finding(harness: Harness, damaged: Path) -> None:
    for path in (damaged / "test").glob("*/000012_cam2_*"):
        path.unlink()
    answer = harness("lint", damaged, "full", "--json")
    assert answer.code == 2
    (finding,) = answer.json["findings"]
    assert finding["rule"] == "queries-without-a-match"
    assert "2 of 14 queries" in finding["seen"] and "000012_cam1_0_00.jpg" in finding["seen"]


def test_nothing_to_evaluate(harness: Harness) -> None:
    _check_error(harness("evaluate", "--json"), "HarnessError", "--features", "--checkpoint")


@pytest.mark.parametrize("place", ["out", "cache"])
def test_a_full_disk(drawn: Path, tiny: Path, tmp_path: Path, place: str) -> None:
    full = tmp_path / "full"
    full.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=96k", "tmpfs", str(full)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip("mounting a small file system needs root")
    try:
        words = [sys.executable, "-m", "harness.cli", "run", "--method", "tiny", "--json"]
        words += ["--plugin", str(tiny), "--dataset", str(drawn), "--recipe", "smoke", *SMALL]
        words += ["--out", str(full / "runs" if place == "out" else tmp_path / "runs")]
        cache = full if place == "cache" else tmp_path / "cache"
        done = subprocess.run(
            words,
            capture_output=True,
            text=True,
            check=False,
            env=os.environ | {"HARNESS_CACHE": str(cache)},
        )
        answer = Answer(done.returncode, done.stdout, done.stderr)
        _check_error(answer, "DiskFullError", "no space left in", "free some space")
        assert not list(tmp_path.rglob("*.tmp")), "a temporary file was left"
        assert not list(tmp_path.rglob("record.json"))
    finally:
        subprocess.run(["umount", str(full)], check=True)


def test_debug_shows_the_traceback(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "harness.cli", "--debug", "run", "--method", "nothing"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert "Traceback" in done.stderr and "UnknownNameError" in done.stderr


def test_a_place_that_cannot_be_written(harness: Harness, drawn: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    words = ["run", "--method", "ieee", "--dataset", drawn, "--out", tmp_path / "file" / "runs"]
    _check_error(harness(*words, "--json"), "HarnessError", "Not a directory", "--out")


def test_ctrl_c_says_how_to_go_on(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("harness.cli.listing.list_command", stop)
    answer = harness("list", "methods")
    assert answer.code == 130
    assert answer.err.strip() == "stopped; the same command goes on from here"
