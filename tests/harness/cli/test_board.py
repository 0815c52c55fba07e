"""compare, leaderboard, explain and export, as a person types them."""

from __future__ import annotations

import csv
import json
import re
import shutil
import sqlite3
from pathlib import Path

import numpy as np
import pytest

from harness.evidence.record import RunRecord, write_record
from harness.evidence.trust import Trust
from harness.spec.plugins import load_plugins
from harness.spec.resolve import resolve
from harness.store import open_store
from tests.conftest import SMALL, Harness
from tests.harness.board.helpers import keep, own, record


@pytest.fixture
def runs(tmp_path: Path) -> list[RunRecord]:
    """One good run, two that tie, three seeds of one recipe, and one under another protocol."""
    found = [
        record(0.75, 1, **own(1)),
        record(0.4, 2, **own(2)),
        record(0.41, 3, **own(3)),
        *(record(0.3, 4 + seed, seed=seed, **own(4)) for seed in (1, 2, 3)),
        record(0.5, protocol={"name": "RGB", "filter": "none"}, protocol_hash="q" * 64, **own(5)),
    ]
    keep(tmp_path / "runs", *found)
    return found


@pytest.fixture
def out(tmp_path: Path) -> tuple[str, Path]:
    return "--out", tmp_path / "runs"


def test_the_leaderboard_shows_ranks_ties_seeds_trust_and_chance(
    harness: Harness, runs: list[RunRecord], out: tuple[str, Path]
) -> None:
    open_store(out[1]).set_trust(runs[0].run_id, Trust.RESCORED, {})
    tables = harness("leaderboard", "--json", *out, "--dataset", "somewhere").json["tables"]
    (full,) = [t for t in tables if t["protocol"] == "full"]
    rows = [row for row in full["rows"] if row["kind"] == "run"]
    assert [(row["rank"], row["tie_group"]) for row in rows] == [
        ([1, 1], 1),
        ([2, 3], 2),
        ([2, 3], 2),
        ([4, 4], 3),
    ]
    assert rows[3]["seeds"] == [1, 2, 3] and rows[3]["spread"]["mAP"] > 0
    assert rows[0]["trust"] == "rescored" and rows[1]["trust"] == "reported"
    text = harness("leaderboard", "--text", *out, "--protocol", "full").out
    assert re.search(r"2–3 +b ", text) and "rescored" in text and "±" in text
    assert "Chance: mAP 1.00" in text and "valid of 180 queries" in text
    assert "1 run(s) hidden by --protocol full" in text
    wrong = harness("leaderboard", "--json", *out, "--protocol", "ful")
    assert wrong.code == 2 and "'full'" in wrong.error["do"]


def test_published_numbers_stand_beside_runs_without_a_rank(
    harness: Harness, runs: list[RunRecord], out: tuple[str, Path]
) -> None:
    published = {"label": "rgbnt201", "name": "rgbnt201", "data_hash": "f" * 64}
    run = record(0.5, dataset=published, **own(8))
    keep(out[1], run)
    words = (*out, "--dataset", "rgbnt201", "--protocol", "full")
    (table,) = harness("leaderboard", "--json", *words).json["tables"]
    claims = [row for row in table["rows"] if row["kind"] == "claim"]
    assert len(claims) > 20 and all(row["trust"] == "claimed" and row["source"] for row in claims)
    assert all(row["rank"] is None for row in claims)
    (own_row,) = [row for row in table["rows"] if row["kind"] == "run"]
    assert own_row["rank"] == [1, 1] and own_row["run_ids"] == [run.run_id]
    assert "were not checked" in harness("leaderboard", "--text", *words).out
    # Tables that nobody has run are named, and shown when asked for.
    text = harness("leaderboard", "--text", *out).out
    assert "published numbers only" not in text and "wmveid863" in text
    text = harness("leaderboard", "--text", *out, "--dataset", "wmveid863").out
    assert "published numbers only" in text and "no intervals or ranks" in text


def test_compare_says_what_differs_and_whether_it_is_noise(
    harness: Harness, runs: list[RunRecord], out: tuple[str, Path]
) -> None:
    good, poor, same = (r.run_id for r in runs[:3])
    found = harness("compare", poor, good, "--queries", 3, *out, "--json").json
    (pairing,) = found["pairings"]
    line = pairing["metrics"][0]
    assert line["difference"] == pytest.approx(line["b"] - line["a"]) and line["p"] < 0.01
    assert line["interval"][0] > 0 and "is better than" in pairing["verdict"]
    # Whichever is named first, the better one is said to gain.
    (turned,) = harness("compare", good, poor, *out, "--json").json["pairings"]
    assert turned["metrics"][0]["difference"] == -line["difference"]
    first, second = (one["verdict"].split(" (")[0] for one in (pairing, turned))
    assert first == second
    # One sign for all that is said: that of B less A.
    assert ": +" in pairing["verdict"] and ": -" in turned["verdict"]
    assert list(turned["identities"].values()) == list(pairing["identities"].values())[::-1]
    gaps = [q["ap_b"] - q["ap_a"] for q in pairing["queries"]]
    assert len(gaps) == 3 and gaps == sorted(gaps, reverse=True)
    text = harness("compare", poor, same, *out).out
    assert "cannot be told apart" in text and "30 identities" in text and "first rank A" in text


def test_compare_takes_seeds_and_folders_and_corrects_for_being_several(
    harness: Harness, runs: list[RunRecord], out: tuple[str, Path]
) -> None:
    seeds = ",".join(r.run_id[:10] for r in runs[3:6])
    folder = out[1] / runs[3].recipe_hash[:12]
    by_id = harness("compare", runs[1].run_id, seeds, *out, "--json").json
    by_folder = harness("compare", runs[1].run_id, folder, *out, "--json").json
    assert (
        sorted(by_id["sides"][1]) == sorted(by_folder["sides"][1]) and len(by_id["sides"][1]) == 3
    )
    assert "seeds are drawn too" in by_id["model"]
    three = harness("compare", *(r.run_id for r in runs[:3]), *out, "--json").json
    lines = [pairing["metrics"][0] for pairing in three["pairings"]]
    assert [x["p_corrected"] > x["p"] for x in lines].count(True) >= 1
    assert "p (Holm)" in harness("compare", *(r.run_id for r in runs[:3]), *out).out


def test_runs_that_do_not_compare_are_refused_with_the_reason(
    harness: Harness, runs: list[RunRecord], out: tuple[str, Path], tmp_path: Path
) -> None:
    for command in ("compare", "export"):
        answer = harness(command, runs[0].run_id, runs[6].run_id, *out, "--json")
        assert answer.code == 2
        assert "the protocol hash differs" in answer.error["seen"]
        assert "filter same_pid_same_cam and none" in answer.error["seen"]
    assert harness("compare", runs[0].run_id, *out).code == 2
    old = record(0.5, **own(9), per_query=record().per_query.model_copy(update={"pids": None}))
    keep(tmp_path / "runs", old)
    answer = harness("compare", runs[0].run_id, old.run_id, *out, "--json")
    assert "does not say whose its queries are" in answer.error["seen"]
    edited = tmp_path / "record.json"
    write_record(edited, runs[0].model_copy(update={"metrics": {"mAP": 99.0}}))
    assert "was edited" in harness("compare", edited, runs[1].run_id, *out, "--json").error["seen"]


def test_explain_says_why_a_run_is_where_it_is(
    harness: Harness, runs: list[RunRecord], out: tuple[str, Path], tmp_path: Path
) -> None:
    found = harness("leaderboard", "explain", runs[1].run_id[:8], *out, "--json").json
    assert found["shown"] and found["rank"] == [2, 3]
    assert [one["runs"] for one in found["tied"]] == [[runs[2].run_id]]
    words = " ".join(found["sentences"])
    assert "contains zero" in words and "--seeds" in words and "harness verify" in words
    elsewhere = harness("leaderboard", *out, "explain", runs[6].run_id).out
    assert "the board" in elsewhere and "row 1 of 1" in elsewhere
    filtered = harness("leaderboard", "explain", runs[6].run_id, *out, "--protocol", "full")
    assert "not shown" in filtered.out and "hidden by --protocol full" in filtered.out
    stranger = record(0.9, **own(8))
    write_record(tmp_path / "record.json", stranger)
    answer = harness("leaderboard", "explain", tmp_path, *out, "--json").json
    assert not answer["shown"] and "not in the store" in answer["sentences"][0]
    assert harness("leaderboard", "explain", "nothing", *out).code == 2


def test_explain_says_which_hash_keeps_a_run_out_of_another_table(
    harness: Harness, runs: list[RunRecord], out: tuple[str, Path]
) -> None:
    changed = {"label": "somewhere", "name": "somewhere", "data_hash": "e" * 64}
    other = record(0.6, dataset=changed, **own(7))
    keep(out[1], other)
    words = harness("leaderboard", "explain", other.run_id, *out).out
    assert "6 run(s) of the same names are in another table" in words
    assert "the data hash differs" in words and "bytes of the files differ" in words


def test_a_damaged_record_is_named_and_hides_no_other(
    harness: Harness, runs: list[RunRecord], out: tuple[str, Path]
) -> None:
    with sqlite3.connect(out[1] / "store.db") as connection:
        connection.execute("UPDATE records SET record = '{' WHERE run_id = ?", (runs[1].run_id,))
    words = ("leaderboard", "--json", *out, "--dataset", "somewhere", "--protocol", "full")
    (table,) = harness(*words).json["tables"]
    ranks = {tuple(r["run_ids"]): r["rank"] for r in table["rows"] if r["kind"] == "run"}
    assert ranks[(runs[1].run_id,)] is None and ranks[(runs[2].run_id,)] == [2, 2]
    answer = harness("leaderboard", "explain", runs[1].run_id, *out, "--json")
    assert answer.code == 2 and "damaged record" in answer.error["seen"]


def test_export_is_what_the_table_says_in_four_formats(
    harness: Harness, runs: list[RunRecord], out: tuple[str, Path]
) -> None:
    words = ("export", "--dataset", "somewhere", "--protocol", "full", *out, "--format")
    tables = {fmt: harness(*words, fmt).out for fmt in ("markdown", "csv", "json", "latex")}
    view = json.loads(tables["json"])
    assert all(view["inputs_hash"] in text for text in tables.values())
    lines = [line for line in tables["csv"].splitlines() if not line.startswith("#")]
    rows = [row for row in csv.DictReader(lines) if row["trust"] != "claimed"]
    assert [row["rank"] for row in rows] == ["1", "2–3", "2–3", "4"]
    assert "\\toprule" in tables["latex"] and "**" in tables["markdown"]
    more = record(0.5, 9, **own(9))
    keep(out[1], more)
    assert json.loads(harness(*words, "json").out)["inputs_hash"] != view["inputs_hash"]
    several = harness("export", "--dataset", "somewhere", *out, "--json")
    assert several.code == 2 and "--protocol NAME" in several.error["do"]


def test_named_runs_are_exported_alone(
    harness: Harness, runs: list[RunRecord], out: tuple[str, Path]
) -> None:
    found = harness("export", runs[2].run_id, runs[1].run_id, *out, "--json").json
    assert [row["rank"] for row in found["rows"]] == ["1–2", "1–2"]


def test_a_card_says_everything_about_a_run_and_escapes_its_names(
    harness: Harness, tmp_path: Path
) -> None:
    nasty = record(
        0.5,
        method="<script>x</script>",
        recipe={"name": "a|b", "epochs": 3, "note": "[l](http://x)\n# head"},
        cost={"parameters": 1234567, "gflops": 1.5},
        environment={"device": "cpu"},
        evidence={"features": {"file": "features.npz", "sha256": "3" * 64}},
    )
    keep(tmp_path / "runs", nasty)
    text = harness("export", "--card", nasty.run_id, "--out", tmp_path / "runs").out
    assert "<script>" not in text and "[l](" not in text and "\n# head" not in text
    for words in ("1,234,567", "3" * 64, f"harness verify {nasty.run_id}", "harness reproduce"):
        assert words in text
    assert "trust: **reported**" in text and "| mAP " in text


def test_real_runs_compare(harness: Harness, drawn: Path, tiny: Path, tmp_path: Path) -> None:
    words = ["run", "--method", "tiny", "--plugin", tiny, "--dataset", drawn, "--recipe", "smoke"]
    done = harness(*words, *SMALL, "--out", tmp_path, "--seeds", "1,2", "--json").json["runs"]
    ids = [one["run_id"] for one in done]
    found = harness("compare", *ids, "--out", tmp_path, "--json").json
    lines = {line["metric"]: line for line in found["pairings"][0]["metrics"]}
    for metric, value in done[0]["metrics"].items():
        assert lines[metric]["a"] == pytest.approx(value)
    assert "RGB+NI+TI" in harness("export", "--card", ids[0], "--out", tmp_path).out
    # Their descriptors as files of any program, alone or beside a run, give the same statistics.
    files = [tmp_path / "a.npz", tmp_path / "b.npz"]
    for one, file in zip(done, files, strict=True):
        shutil.copy(Path(one["record"]).with_name("features.npz"), file)
    alone = ("--dataset", drawn, "--protocol", "full", "--json")
    by_file = harness("compare", *files, *alone, "--out", tmp_path / "none").json
    beside = harness("compare", ids[0], files[1], "--dataset", drawn, "--out", tmp_path, "--json")
    for other in (by_file, beside.json):
        (pairing,), (wanted,) = other["pairings"], found["pairings"]
        assert pairing["metrics"] == wanted["metrics"] and pairing["queries"] == wanted["queries"]
    assert by_file["pairings"][0]["b"] == "file b.npz"


def test_files_that_do_not_compare_are_refused(
    harness: Harness, drawn: Path, tmp_path: Path, runs: list[RunRecord]
) -> None:
    names = np.array(sorted(p.name for p in (drawn / "test" / "RGB").iterdir()))
    np.savez(tmp_path / "a.npz", names=names, features=np.eye(len(names), dtype=np.float32))
    pair = (tmp_path / "a.npz", tmp_path / "b.npz", "--json")
    assert "--dataset" in harness("compare", *pair).error["expected"]
    assert "there is no file" in harness("compare", *pair, "--dataset", drawn).error["seen"]
    words = ("compare", runs[0].run_id, tmp_path / "a.npz", "--out", tmp_path / "runs", "--json")
    other = harness(*words, "--dataset", drawn, "--protocol", "full")
    assert "do not compare" in other.error["seen"]
    alone = ("compare", runs[0].run_id, runs[1].run_id, "--out", tmp_path / "runs", "--json")
    assert "with runs alone" in harness(*alone, "--protocol", "full").error["seen"]


def test_a_run_is_called_by_what_sets_it_apart_everywhere(
    harness: Harness, out: tuple[str, Path]
) -> None:
    method = load_plugins().methods["timm"]
    found = []
    for n, backbone in enumerate(("convnext_atto", "resnet10t")):
        recipe = resolve(method, "smoke", "somewhere", "full", [f"backbone={backbone}"]).recipe
        about = {"method": "timm", "recipe": recipe.dumped(), "recipe_hash": recipe.hash}
        found.append(record(0.3 + n / 10, n, **about))
    keep(out[1], *found)
    names = [f"{method.title} · {word}" for word in ("convnext_atto", "resnet10t")]
    listed = harness("list", "runs", *out, "--json").json["runs"]
    assert sorted(row["name"] for row in listed) == names
    assert {row["track"] for row in listed} == {"modified"}
    text = harness("list", "runs", *out).out
    text += harness("leaderboard", "--text", *out, "--dataset", "somewhere").out
    text += harness("compare", *(r.run_id for r in found), *out).out
    assert all(text.count(name) >= 3 for name in names)
    latex = harness("export", "--dataset", "somewhere", *out, "--format", "latex").out
    assert all(name.rpartition(" ")[2].replace("_", r"\_") in latex for name in names)


def test_the_leaderboard_is_written_as_a_site_of_files(
    harness: Harness,
    runs: list[RunRecord],
    out: tuple[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("leaderboard_app.site.build.load_claims", lambda: ())
    to = tmp_path / "site"
    made = harness("leaderboard", "--static", to, *out, "--json").json
    assert made["files"] == sum(path.is_file() for path in to.rglob("*")) > 10
    assert runs[0].run_id[:8] in (to / "board" / "somewhere" / "full.html").read_text()
    assert "http.server" in harness("leaderboard", "--static", to, *out).out
    refused = harness("leaderboard", "--static", tmp_path, *out)
    assert refused.code == 2 and "is not empty" in refused.err
