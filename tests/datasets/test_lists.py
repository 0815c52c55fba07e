"""The names of the sets: the released lists where they are known, else the published counts."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.data.hashes import file_list_hash
from harness.scoring.chance import chance
from harness.scoring.labels import Labels
from harness.spec.dataset import SPLITS, Card, load_card
from harness.spec.plugins import load_plugins
from reid_datasets.lists import (
    first_of,
    in_several,
    market1501_names,
    msvr310_names,
    rgbn300_names,
    rgbnt100_names,
    shares,
)
from reid_datasets.names import rgbnt201_names
from reid_datasets.wmveid863 import INCOMPLETE, SHARED, wmveid863_names
from tests.conftest import SHARED as FACTS

LISTS = FACTS / "data" / "filelists"
NAMES: dict[str, Callable[[], dict[str, list[str]]]] = {
    "market1501-mm": market1501_names,
    "rgbnt100": rgbnt100_names,
    "rgbn300": rgbn300_names,
    "msvr310": msvr310_names,
    "wmveid863": wmveid863_names,
}


def _card(name: str) -> Card:
    return load_card(load_plugins().dataset(name).card)


@pytest.mark.parametrize("name", NAMES)
def test_the_drawn_names_follow_grammar_and_counts_of_the_card(name: str) -> None:
    card, names = _card(name), NAMES[name]()
    for split in SPLITS:
        listed = names[card.folders[split]]
        parsed = [re.match(card.grammar, n) for n in listed]
        assert all(parsed) and len(set(listed)) == len(listed)
        groups = [m.groupdict() for m in parsed if m]
        found = {
            "identities": len({g["pid"] for g in groups}),
            "samples": len(listed),
            "cameras": len({g.get("cam", g.get("view")) for g in groups}),
        }
        if split in card.counts:
            assert found == card.counts[split].model_dump()
        else:
            assert name == "wmveid863" and split == "query"


@pytest.mark.parametrize(
    ("name", "train", "test", "queries", "identities"),
    [("RGBNT100", 8675, 8575, 1715, (50, 50)), ("MSVR310", 1032, 1055, 591, (155, 155))],
)
def test_the_real_lists_parse_completely_and_are_the_ones_kept_here(
    name: str, train: int, test: int, queries: int, identities: tuple[int, int]
) -> None:
    if not (LISTS / name).exists():
        pytest.skip(f"the released file lists are not at {LISTS}")
    card, names = _card(name.lower()), NAMES[name.lower()]()
    real = [(LISTS / name / f"{s}.txt").read_text().split() for s in ("train", "test")]
    assert [len(r) for r in real] == [train, test]
    for listed, ids, split in zip(real, identities, ("train", "gallery"), strict=True):
        parsed = [re.match(card.grammar, n) for n in listed]
        assert all(parsed)
        assert len({m["pid"] for m in parsed if m}) == ids
        assert sorted(names[card.folders[split]]) == sorted(listed)  # type: ignore[index]
    asked = names[card.folders["query"]]
    assert len(asked) == queries and set(asked) <= set(real[1])
    lines = [f"{card.folders[s]}/{n}" for s in card.listed_splits for n in names[card.folders[s]]]
    assert file_list_hash(lines) == card.file_list_hash


def test_rgbnt100_has_odd_identities_to_train_on_and_five_queries_of_each_cell() -> None:
    names = rgbnt100_names()
    odd = {int(n[:4]) for n in names["bounding_box_train"]}
    even = {int(n[:4]) for n in names["bounding_box_test"]}
    assert odd == set(range(501, 601, 2)) and even == set(range(502, 601, 2))
    assert len({n[:10] for n in names["query"]}) * 5 == len(names["query"])


def test_the_queries_of_msvr310_are_the_identities_of_several_scenes() -> None:
    names = msvr310_names()
    assert names["query3"] == in_several(names["bounding_box_test"])
    assert len({n[:4] for n in names["query3"]}) == 52
    assert len({n[:4] for n in in_several(names["bounding_box_train"])}) == 60
    assert len({n[5:9] for n in names["bounding_box_test"]}) == 30


def test_market_has_its_distractors_and_one_query_for_each_camera() -> None:
    names = market1501_names()
    assert sum(n.startswith("0000_") for n in names["gallery"]) == 2798
    assert len({n[:7] for n in names["query"]}) == 3368
    assert {n[:7] for n in names["query"]} <= {n[:7] for n in names["gallery"]}


def test_wmveid863_repeats_what_is_wrong_with_the_published_set() -> None:
    names, card = wmveid863_names(), _card("wmveid863")
    train, test = ({int(n[:4]) for n in names[f]} for f in ("train", "test"))
    assert train & test == set(SHARED) == set(card.known_leaks) and len(train | test) == 868
    assert len(set(names["train"]) & set(names["test"])) == 18
    assert len({n[:4] for n in in_several(names["test"])}) == 272 - 121
    assert sorted(n for found in INCOMPLETE.values() for n in found) == sorted(
        card.known_incomplete
    )
    there = {f: {m: len(names[f]) for m in ("RGB", "NI", "TI")} for f in INCOMPLETE}
    for folder, found in INCOMPLETE.items():
        for modalities in found.values():
            for modality in modalities:
                there[folder][modality] += 1
    assert there["train"] == {"RGB": 3482, "NI": 3481, "TI": 3482}
    assert there["test"] == {"RGB": 1228, "NI": 1232, "TI": 1231}


def test_first_of_keeps_whole_cells_and_shares_add_up() -> None:
    names = [f"{p:04d}_c{c}_{i}" for p in range(3) for c in range(3) for i in range(3)]
    kept = first_of(names, 2, 1, 2)
    assert kept == ["0000_c0_0", "0000_c0_1", "0001_c0_0", "0001_c0_1"]
    parts = shares(3481, 603)
    assert sum(parts) == 3481 and set(parts) == {5, 6}


def test_no_path_of_a_machine_is_in_the_cards() -> None:
    for info in load_plugins().datasets.values():
        assert not re.search(r"""["'\s(]/\w+/""", Path(info.card).read_text()), info.name


@pytest.mark.parametrize("name", ["rgbnt201", "msvr310"])
def test_the_chance_level_of_a_card_is_that_of_its_published_list(name: str) -> None:
    card = _card(name)
    names = rgbnt201_names() if name == "rgbnt201" else msvr310_names()
    query, gallery = (_labels(names[card.folders[side]], card.grammar) for side in _SIDES)
    found = chance(query, gallery, card.filter)
    assert card.chance == {m: round(100 * getattr(found, m), 2) for m in found._fields}


_SIDES = ("query", "gallery")


def _labels(names: list[str], grammar: str) -> Labels:
    parts = [m.groupdict() for m in (re.match(grammar, n) for n in names) if m]
    columns = {k: [int(p[k]) for p in parts] for k in parts[0]}
    return Labels(columns["pid"], columns.get("cam"), columns.get("scene"))
