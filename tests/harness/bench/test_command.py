"""`harness bench` and what it says to a user's mistake; a small benchmarks folder of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.base.errors import HarnessError
from harness.bench import scripts
from harness.bench.peers import Peer, given_peers
from tests.conftest import Harness

SCRIPT = '''"""What it measures,
in a sentence.

More words.
"""
from harness.bench import Goal, Row, Spread, run_script

PEERS = ("them",)


def rows(asked):
    if asked.repeats == 13:
        raise SystemExit(3)
    ratio = Spread(2, 2, 2) if asked.peers else None
    return [Row(f"{asked.repeats} rounds", Spread(1, 1, 1), ratio=ratio, goal=Goal("times", 2))]


if __name__ == "__main__":
    run_script(__file__, rows, peers=PEERS)
'''
PEERS = '[them]\nrepository = "they/them"\nexpects = ["their.py"]\n'


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with one script, in which the user stands."""
    folder = tmp_path / "checkout" / "benchmarks"
    (folder / "peers").mkdir(parents=True)
    (folder / "peers" / "peers.toml").write_text(PEERS)
    (folder / "one.py").write_text(SCRIPT)
    (folder / "README.md").write_text("# Measured\n")
    (folder / "__init__.py").write_text("")
    monkeypatch.chdir(folder.parent)
    monkeypatch.setattr(scripts, "__file__", str(tmp_path / "away" / "harness" / "bench" / "x.py"))
    return folder


@pytest.fixture
def peer(tmp_path: Path) -> Path:
    """A checkout of the peer."""
    folder = tmp_path / "them"
    folder.mkdir()
    (folder / "their.py").write_text("")
    return folder


def test_scripts_and_peers_are_listed_without_running_them(harness: Harness, own: Path) -> None:
    (own / "helper.py").write_text('"""No script: it has no rows."""\n')
    found = harness("bench", "--list", "--json").json
    about = "What it measures, in a sentence."
    assert found["benchmarks"] == [{"name": "one", "about": about, "peers": ["them"]}]
    assert found["peers"][0]["repository"] == "they/them"
    assert about in harness("bench", "--list").out


def test_it_runs_shows_and_writes(harness: Harness, own: Path, peer: Path) -> None:
    answer = harness("bench", "one", "--repeats", 2, "--peer", f"them={peer}", "--write")
    assert answer.code == 0 and "2 rounds" in answer.out and "beside them" in answer.err
    page = (own / "README.md").read_text()
    assert page.startswith("# Measured\n\n<!-- bench:one -->\n| what |")
    assert "| 2 rounds | 1 s |  | 2 | at least 2 times | yes |" in page
    assert "`python -m benchmarks.one --repeats 2 --peer them=PATH`" in page
    # Nobody else knows this machine's folders.
    assert str(peer) not in page


def test_json_is_one_object_and_the_page_stays(harness: Harness, own: Path) -> None:
    (row,) = harness("bench", "--json").json["benchmarks"]["one"]
    assert row["what"] == "5 rounds" and row["ratio"] is None and row["reached"] is None
    assert (own / "README.md").read_text() == "# Measured\n"


def test_unknown_names_name_the_known(harness: Harness, own: Path) -> None:
    error = harness("bench", "ono", "--json").error
    assert "ono" in error["seen"] and "one" in error["expected"] + error["do"]
    error = harness("bench", "--peer", "tem=/x", "--json").error
    assert "tem" in error["seen"] and "them" in error["expected"] + error["do"]


def test_a_path_that_is_no_checkout_of_the_peer(harness: Harness, own: Path, peer: Path) -> None:
    answer = harness("bench", "--peer", f"them={peer / 'gone'}", "--json")
    assert answer.code == 2 and "does not exist" in answer.error["seen"]
    (peer / "their.py").unlink()
    error = harness("bench", "--peer", f"them={peer}", "--json").error
    assert "without their.py" in error["seen"] and "they/them" in error["expected"]


def test_a_script_that_fails_is_named(harness: Harness, own: Path) -> None:
    error = harness("bench", "--repeats", 13, "--json").error
    assert "benchmarks/one.py ended with 3" in error["seen"]


def test_without_a_checkout_it_says_where_to_stand(
    harness: Harness, own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    answer = harness("bench", "--json")
    assert answer.code == 2 and "clone" in answer.error["do"]


def test_a_bare_path_will_do_for_the_only_peer(peer: Path) -> None:
    known = {"them": Peer("they/them", ("their.py",))}
    assert given_peers([str(peer)], known) == {"them": peer.resolve()}
    with_sign = peer.rename(peer.with_name("a=b"))
    assert given_peers([f"them={with_sign}"], known) == {"them": with_sign.resolve()}
    with pytest.raises(HarnessError, match="NAME=PATH"):
        given_peers([str(peer)], {**known, "others": Peer("o/o", ())})
