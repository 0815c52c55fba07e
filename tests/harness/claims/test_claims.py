"""Claims: the shipped file stands up, and a user's own joins it only whole."""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path

import pytest

from harness.claims import (
    PublishedClaim,
    check_claims,
    load_claims,
    load_code,
    read_claims,
    write_claims,
)
from harness.claims.mapping import protocol_of
from harness.spec.plugins import load_plugins
from reid_datasets.claims import PUBLISHED
from reid_datasets.protocols import PROTOCOLS
from tests.conftest import Harness

KNOWN = {p.name for p in PROTOCOLS}
HEAD = "id,method,dataset,protocol,mAP,R1,source"


@pytest.fixture(autouse=True)
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nobody's own claims are in these tests but theirs."""
    path = tmp_path / "own.csv"
    monkeypatch.setenv("HARNESS_CLAIMS", str(path))
    return path


def csv(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "some.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_the_shipped_claims_hold() -> None:
    assert check_claims(PUBLISHED, KNOWN) == []
    claims = read_claims(PUBLISHED)
    assert len(claims) == 671
    assert {c.dataset for c in claims} == {
        *("rgbnt201", "rgbnt100", "msvr310", "rgbn300", "market1501-mm", "wmveid863"),
        *("sysu-mm01", "regdb"),
    }
    assert sum(c.mAP is None for c in claims) == 26


def test_the_code_of_a_method_is_named_with_its_licence(harness: Harness) -> None:
    code = load_code()
    assert code.keys() - {c.method for c in read_claims(PUBLISHED)} == {"MAN", "ReID5o", "RoDI"}
    said = harness("claims", "list", "--method", "MDReID")
    assert "code of MDReID: https://github.com/stone96123/MDReID (no licence: model" in said.out
    found = harness("claims", "list", "--method", "demo", "--json").json["code"]
    assert found["DeMo"]["licence"] == "MIT" and set(found) == {"DeMo"}


def test_the_numbers_of_ieee_are_those_of_its_paper() -> None:
    by_id = {c.id: c for c in read_claims(PUBLISHED)}
    one = by_id["ieee.ieee.rgbnt201.full"]
    assert (one.mAP, one.R1, one.R5, one.R10) == (46.42, 47.13, 58.49, 64.23)
    assert one.tags == ("pretraining:imagenet", "test-selection")
    # Four sources print three numbers for it; all are kept, in one group.
    group = [c for c in by_id.values() if c.conflict == one.conflict]
    assert {c.mAP for c in group} == {46.42, 47.5, 49.5}
    for info in load_plugins().methods.values():
        for said in info.claims:
            fits = [
                c
                for c in by_id.values()
                if (c.method_key, c.dataset, c.protocol) == (info.name, said.dataset, said.protocol)
            ]
            assert not fits or any(abs(c.mAP - said.mAP) < 0.051 for c in fits if c.mAP), said


def test_cross_modal_rows_have_their_conventions() -> None:
    found = Counter(c.protocol for c in read_claims(PUBLISHED) if "RGBNT201-C" in c.protocol_text)
    assert found == {
        **dict.fromkeys(("RGB>TI@regdb", "TI>RGB@regdb", "RGB>NI@sysu", "NI>RGB@sysu"), 3),
        **dict.fromkeys(("RGB+TI", "RGB+NI"), 1),
    }


def test_unmarked_claims_of_one_thing_agree() -> None:
    """Where two sources print different numbers for one thing, both are marked."""
    groups: dict[tuple[str, ...], list[PublishedClaim]] = defaultdict(list)
    for c in read_claims(PUBLISHED):
        where = (c.dataset, c.protocol, c.protocol_text, "joint-training" in c.tags)
        groups[c.method, c.variant, c.backbone, *map(str, where)].append(c)
    for members in groups.values():
        values = [c.mAP for c in members if c.mAP is not None]
        if values and max(values) - min(values) >= 0.11:
            assert len({c.conflict for c in members}) == 1 and members[0].conflict, members


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("full (RGB+NI+TI)", "full"),
        ("missing TI (query+gallery, test only)", "-TI"),
        ("M(NIR+RGB)", "-RGB-NI"),
        ("two-modal RGB+TI", "RGB+TI"),
        ("RGB+NIR+TIR", "full"),
        ("single NI", "NI"),
        ("any-to-any RGB -> TI", "RGB>TI"),
        ("mismatched RGB+TI -> NI+TI", "RGB+TI>NI+TI"),
        ("RGB to NI", "RGB>NI"),
        ("RGB>TI@regdb", "RGB>TI@regdb"),
        ("-NI", "-NI"),
        ("parameter count only", ""),
        ("mismatched average", ""),
        ("any-to-any harmonic mean", ""),
        ("zero-shot full (trained on RGBNT201+RGBNT100)", ""),
        ("depth", ""),
    ],
)
def test_words_of_papers(text: str, name: str) -> None:
    assert protocol_of(text, KNOWN) == name


@pytest.mark.parametrize(
    ("line", "seen"),
    [
        ("a,M,rgbnt201,full,101,,paper", "less than or equal to 100"),
        ("a,M,rgbnt201,full,nan,,paper", "finite number"),
        ("a,M,rgbnt201,full,many,,paper", "mAP"),
        ("a,M,rgbnt201,full,50,,", "source"),
        ("a,M,rgbnt201,half,50,,paper", "no protocol 'half'"),
        ("a,M,rgbnt201,full,,40,paper", "ranks and no mAP"),
        ("a,M,rgbnt201,full,,,paper", "neither mAP nor a count"),
        ("a,M\x1b[31m,rgbnt201,full,50,,paper", "control characters"),
        ("A b,M,rgbnt201,full,50,,paper", "id"),
        ("b,M,rgbnt201,full,50,,paper", "the id is taken"),
    ],
)
def test_what_is_wrong_is_said(harness: Harness, tmp_path: Path, line: str, seen: str) -> None:
    path = csv(tmp_path, HEAD, "b,M,rgbnt201,full,50,60,paper", line)
    answer = harness("claims", "check", path, "--json")
    assert answer.code == 2 and answer.json["claims"] == 2
    (problem,) = answer.json["problems"]
    assert seen in problem["seen"] and problem["line"] == 3


def test_ranks_out_of_order_and_conflicts_of_one(tmp_path: Path) -> None:
    path = csv(
        tmp_path,
        "id,method,dataset,mAP,R1,R5,source,conflict,source_url,tags",
        "a,M,x,50,60,55,paper,,,",
        "b,M,x,50,60,,paper,alone,,",
        "c,M,x,46.42,60,,paper,rounding,,",
        "d,M,x,46.4,60,,paper,rounding,,",
        "e,M,x,46.4,60,,paper,real,,",
        "f,M,x,46.6,60,,paper,real,,",
        "g,M,x,50,60,,paper,,javascript:alert(1),",
        "h,M,x,50,60,,paper,,,pretraining:clip",
    )
    found = [(p.id, p.seen) for p in check_claims(path)]
    assert ("a", "R1 <= R5 <= R10 does not hold") in found
    assert ("h", "the pretraining and its tag differ") in found
    assert [i for i, s in found if "no two claims with different numbers" in s] == ["b", "c"]
    assert [i for i, s in found if s.startswith("source_url")] == ["g"]
    assert len(found) == 5


def test_a_file_round_trips_to_the_byte(tmp_path: Path) -> None:
    write_claims(tmp_path / "again.csv", read_claims(PUBLISHED))
    assert (tmp_path / "again.csv").read_bytes() == PUBLISHED.read_bytes()


def test_import_maps_and_lists_beside_the_shipped(
    harness: Harness, tmp_path: Path, own: Path
) -> None:
    lines = ("Method,Dataset,Protocol,mAP,R1,Source", "Mine,RGBNT201,M(TIR),50,60.5,my thesis")
    path = csv(tmp_path, *lines)
    answer = harness("claims", "import", path, "--json")
    assert answer.code == 0 and answer.json["added"] == ["my-thesis.mine.rgbnt201.missing-ti"]
    again = harness("claims", "import", path, "--json")
    assert again.json["added"] == [] and len(again.json["known"]) == 1
    listed = harness("claims", "list", "--dataset", "rgbnt201", "--protocol", "-TI", "--json")
    names = [c["method"] for c in listed.json["claims"]]
    assert "Mine" in names and "TOP-ReID" in names
    assert len(load_claims()) == 672
    assert harness("claims", "check").out.startswith("672 claims")


def test_import_takes_all_or_nothing(harness: Harness, tmp_path: Path, own: Path) -> None:
    lines = (HEAD, "a,M,x,full,50,60,paper", "b,M,x,full,50,160,paper")
    answer = harness("claims", "import", csv(tmp_path, *lines), "--json")
    assert answer.code == 2 and answer.json["added"] == [] and not own.exists()
    assert answer.json["problems"][0]["line"] == 3
    taken = csv(tmp_path, HEAD, "ieee.ieee.rgbnt201.full,IEEE,rgbnt201,full,99,99,me")
    answer = harness("claims", "import", taken, "--json")
    assert answer.code == 2 and "another claim under this id" in answer.out
    column = harness("claims", "import", csv(tmp_path, "metod,mAP", "a,5"), "--json")
    assert column.code == 2 and "'metod'" in column.error["seen"]


def test_files_that_are_none(harness: Harness, tmp_path: Path) -> None:
    assert "there is no file" in harness("claims", "check", tmp_path / "no", "--json").error["seen"]
    (tmp_path / "x").write_bytes(b"\xff\xfe\x00")
    assert "no CSV" in harness("claims", "check", tmp_path / "x", "--json").error["seen"]
    (tmp_path / "y").write_text("id,id\n")
    assert "each once" in harness("claims", "check", tmp_path / "y", "--json").error["seen"]


def test_a_damaged_own_file_hides_nothing_else(own: Path) -> None:
    own.write_text(HEAD + "\na,M,x,full,500,60,paper\nb,M,x,full,50,60,paper\n")
    plugins = load_plugins()
    claims = load_claims(plugins)
    assert len(claims) == 672 and claims[-1].id == "b"
    assert "line 2" in plugins.broken[-1].error


def test_list_by_tag(harness: Harness) -> None:
    answer = harness("claims", "list", "--tag", "transductive", "--json")
    assert {c["method"] for c in answer.json["claims"]} == {"HTT", "ProxyTTT"}
    text = harness("claims", "list", "--method", "ieee")
    assert "!" in text.out and "claims, in percent as printed" in text.out
    assert "no claims fit" in harness("claims", "list", "--method", "nothing").out
