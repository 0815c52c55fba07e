"""`harness lint`: each rule fires on what it is for and keeps still otherwise."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from harness.base.errors import IdentityLeakError, ProtocolError
from harness.data.lint import Finding, lint, stop_on_errors
from harness.data.opened import OpenDataset
from harness.spec.dataset import SPLITS, Card, Sample, Scan, Split
from harness.spec.protocol import Protocol
from reid_datasets.synthesize import write_parallel
from tests.conftest import Harness, small_names

CARD = Card(
    name="listed",
    title="Listed",
    kind="test",
    licence="none",
    where="here",
    citation="none",
    roots=(),
    folders={"train": "train", "query": "query", "gallery": "gallery"},
    tree="",
    grammar="",
    grammar_words="",
    filter="same_pid_same_cam",
)


class Listed:
    """A data set that is a list in memory."""

    described_by: tuple[Path, ...] = ()

    def __init__(self, root: Path, card: Card) -> None:
        self.root, self.card = root, card
        self.splits: dict[Split, tuple[Sample, ...]] = {}

    @staticmethod
    def recognises(root: Path, card: Card) -> bool:
        return False

    def scan(self, split: Split) -> Scan:
        return Scan(self.splits[split], ())


def _sample(split: str, pid: int, camid: int, index: int = 0, **more: Any) -> Sample:
    name = f"{pid}_{camid}_{index}.jpg"
    paths = {m: Path(split, m, name) for m in ("RGB", "NI", "TI")}
    return Sample(name, pid, camid, more.get("scene"), more.get("paths", paths))


def _grid(split: str, pids: range, cameras: range = range(2), **more: Any) -> tuple[Sample, ...]:
    return tuple(_sample(split, p, c, i, **more) for p in pids for c in cameras for i in range(2))


def _lint(
    train: tuple[Sample, ...] | None = None,
    query: tuple[Sample, ...] | None = None,
    gallery: tuple[Sample, ...] | None = None,
    known_leaks: tuple[int, ...] = (),
    **protocol: Any,
) -> list[Finding]:
    card = CARD.model_copy(update={"known_leaks": known_leaks})
    data = Listed(Path(), card)
    test = _grid("test", range(11, 15))
    given = (train or _grid("train", range(1, 5)), query or test, gallery or test)
    data.splits = dict(zip(SPLITS, given, strict=True))
    bound = Protocol(name="p", title="p").bind(card).model_copy(update=protocol)
    return lint(OpenDataset(card, Path(), data), bound)


def _rules(findings: list[Finding]) -> dict[str, str]:
    assert all(f.seen and f.expected and f.do for f in findings)
    return {f.rule: f.severity for f in findings}


def test_a_good_set_has_no_finding() -> None:
    assert _lint() == []


def test_a_leak_is_an_error_unless_the_card_knows_all_of_it() -> None:
    train = _grid("train", range(1, 13))
    findings = _lint(train)
    assert _rules(findings) == {"identity-leak": "error"}
    with pytest.raises(IdentityLeakError, match="2 in query, 2 in gallery"):
        stop_on_errors(findings)
    assert _rules(_lint(train, known_leaks=(11,))) == {"identity-leak": "error"}
    findings = _lint(train, known_leaks=(11, 12))
    assert _rules(findings) == {"known-identity-leak": "warning"}
    stop_on_errors(findings)


def test_queries_lost_are_counted_by_cause() -> None:
    query = (*_grid("q", range(11, 13)), _sample("q", 99, 0), _sample("q", 14, 0))
    gallery = (*_grid("g", range(11, 14)), _sample("g", 14, 0, 5))
    (finding,) = _lint(query=query, gallery=gallery)
    assert finding.rule == "queries-without-a-match" and finding.severity == "warning"
    assert "2 of 10 queries" in finding.seen and "99_0_0.jpg" in finding.seen
    assert "1 have no image of their identity" in finding.seen
    assert "removes every match of 1" in finding.seen


def test_cameras_lost_on_the_way_are_named() -> None:
    test = _grid("test", range(11, 15), range(1))
    rules = _rules(_lint(query=test, gallery=test))
    assert rules == {"no-query-has-a-match": "error", "cameras-coincide": "warning"}
    # Nothing says that one camera was not all there is, when train has no more.
    train = _grid("train", range(1, 5), range(1))
    assert "cameras-coincide" not in _rules(_lint(train, test, test))


def test_sides_without_a_shared_camera_are_named() -> None:
    query, gallery = _grid("q", range(11, 15)), _grid("g", range(11, 15), range(2, 4))
    (finding,) = _lint(query=query, gallery=gallery)
    assert finding.rule == "no-shared-camera" and "0, 1, gallery 2, 3" in finding.seen
    assert _lint(query=query, gallery=gallery, filter="none") == []


def test_one_picture_under_two_cameras_is_an_error() -> None:
    gallery = _grid("test", range(11, 15))
    query = tuple(s._replace(camid=1 - s.camid) if s.pid == 12 else s for s in gallery)
    (finding,) = _lint(query=query, gallery=gallery)
    assert finding.rule == "query-finds-itself" and "4 of 16" in finding.seen
    assert "camera is 1 in query and 0 in gallery" in finding.seen
    with pytest.raises(ProtocolError, match="own picture"):
        stop_on_errors([finding])


def test_without_a_filter_a_query_finds_itself_only_by_a_shared_modality() -> None:
    assert _rules(_lint(filter="none")) == {"query-finds-itself": "warning"}
    apart = {"query_modalities": ("RGB",), "gallery_modalities": ("TI",)}
    assert _lint(filter="none", **apart) == []


def test_a_scene_filter_needs_scenes() -> None:
    assert _rules(_lint(filter="same_pid_same_scene")) == {"filter-without-scenes": "error"}
    test = tuple(s._replace(scene=s.camid) for s in _grid("test", range(11, 15)))
    assert _lint(query=test, gallery=test, filter="same_pid_same_scene") == []
    one = tuple(s._replace(scene=7) for s in test)
    train = tuple(s._replace(scene=s.camid) for s in _grid("train", range(1, 5)))
    rules = _rules(_lint(train, one, one, filter="same_pid_same_scene"))
    assert rules == {"no-query-has-a-match": "error", "scenes-coincide": "warning"}


def test_a_modality_that_is_missing_is_named_with_counts() -> None:
    without = tuple(
        s._replace(paths={m: p for m, p in s.paths.items() if m != "TI"})
        for s in _grid("test", range(11, 15))
    )
    rules = _rules(_lint(query=without, gallery=without))
    assert rules == {"modality-in-no-sample": "error"}
    assert _lint(query=without, gallery=without, query_modalities=("RGB",),
                 gallery_modalities=("NI",)) == []  # fmt: skip
    some = (*without[:3], *_grid("test", range(11, 15))[3:])
    (finding,) = _lint(query=some)
    assert finding.severity == "warning" and "3 of 16 query samples have no TI" in finding.seen
    rules = _rules(_lint(query=some, query_modalities=("TI",)))
    assert rules == {"modality-in-some-samples": "warning", "sample-without-modality": "error"}


@pytest.mark.parametrize("selection", ["last", "validation", "test"])
def test_selecting_on_test_is_a_warning(selection: str) -> None:
    expected = {"selects-on-test": "warning"} if selection == "test" else {}
    assert _rules(_lint(selection=selection)) == expected


def test_thin_train_identities() -> None:
    train = (*_grid("train", range(1, 5)), _sample("train", 5, 0))
    assert _rules(_lint(train)) == {"identity-with-one-image": "warning"}
    train = (*_grid("train", range(1, 3)), *_grid("train", range(3, 6), range(1)))
    (finding,) = _lint(train)
    assert (finding.rule, finding.severity) == ("identities-of-one-camera", "note")
    assert "3 of 5 train identities" in finding.seen


def test_notes_alone_are_no_failure(harness: Harness, tmp_path: Path) -> None:
    train = [n for n in small_names(range(1, 4)) if "_cam1" in n]
    folders = {"train_171": train, "test": small_names(range(11, 13))}
    write_parallel(tmp_path / "set", folders, seed=3, size=(32, 16), name="tests")
    answer = harness("lint", tmp_path / "set", "full", "--json")
    assert answer.code == 0 and answer.json["ok"]
    assert [f["severity"] for f in answer.json["findings"]] == ["note"]
    assert "note: identities-of-one-camera" in harness("lint", tmp_path / "set", "full").out


def _content_rules(harness: Harness, root: Path, *words: str) -> list[str]:
    answer = harness("lint", root, "full", *words, "--json")
    return [f["rule"] for f in answer.json["findings"]]


def test_contents_are_compared_when_read_or_remembered(harness: Harness, damaged: Path) -> None:
    source = damaged / "train_171" / "RGB" / "000001_cam1_0_00.jpg"
    shutil.copy(source, damaged / "test" / "RGB" / "000012_cam1_0_00.jpg")
    answer = harness("lint", damaged, "full", "--json")
    assert answer.code == 0 and "not compared by content" in answer.err
    assert _content_rules(harness, damaged, "--content") == ["same-bytes-other-identity"]
    assert _content_rules(harness, damaged) == ["same-bytes-other-identity"]


def test_one_picture_copied_to_another_camera(harness: Harness, damaged: Path) -> None:
    folder = damaged / "test" / "TI"
    shutil.copy(folder / "000012_cam1_0_00.jpg", folder / "000012_cam2_0_00.jpg")
    assert _content_rules(harness, damaged, "--content") == ["query-finds-itself"]
