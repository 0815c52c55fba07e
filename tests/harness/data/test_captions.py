"""The file of captions beside a data set: its forms, what is counted, and what it is part of."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from harness.base.errors import DataError
from harness.data.captioned import coverage
from harness.data.captions import Caption, read_captions, write_captions
from harness.data.open import open_dataset
from harness.data.opened import OpenDataset
from harness.data.validation import held_out
from harness.spec.heldout import HeldOut
from harness.spec.plugins import load_plugins
from harness.spec.text import CONTEXT, END, START, framed, is_cut
from tests.conftest import small_names

ROWS = [Caption("a.jpg", "RGB", "A red coat."), Caption("a.jpg", "TI", "Warm, and a cold bag.")]


def opened(root: Path) -> OpenDataset:
    return open_dataset(str(root), load_plugins())


def rows_of(root: Path) -> list[Caption]:
    return [Caption(**row) for row in json.loads((root / "captions.json").read_text())]


def test_the_forms_say_the_same(tmp_path: Path) -> None:
    ours = tmp_path / "ours.json"
    write_captions(ours, ROWS)
    table = tmp_path / "table.csv"
    lines = [
        "modality,image,text",
        "RGB,a.jpg,  A red\t coat. ",
        'TI,a.jpg,"Warm, and a cold bag."',
    ]
    table.write_text("\r\n".join(lines), encoding="utf-8-sig")
    texts = read_captions(ours).texts
    assert texts == {("a.jpg", "RGB"): "A red coat.", ("a.jpg", "TI"): "Warm, and a cold bag."}
    assert read_captions(table).texts == texts
    assert read_captions(table).hash == read_captions(ours).hash
    for modality, said in (("RGB", "A red coat."), ("TI", "Warm, and a cold bag.")):
        published = tmp_path / f"train_{modality}.json"
        published.write_text(json.dumps([{"item": "a.jpg", "description": said}]))
        assert read_captions(published).texts == {("a.jpg", modality): said}


@pytest.mark.parametrize(
    ("name", "content", "match"),
    [
        ("x.json", b"[{", "Expecting property name"),
        ("x.json", b"\xff\xfe[]", "can't decode"),
        ("x.json", b"{}", "holds a dict"),
        ("x.json", b'["a red coat"]', "its row 1 is"),
        ("x.json", b'[{"image": "a", "modality": "NIR", "text": "b"}]', "its row 1 is"),
        ("x.json", b'[{"image": "a", "modality": "RGB", "text": 3}]', "its row 1 is"),
        ("x.json", b'[{"item": "a", "description": "b"}]', "its row 1 is"),
        ("x.csv", b"name,text\na,b\n", "its row 1 is"),
        ("x.csv", b'image,modality,text\na,RGB,"b\n', "cannot be read as captions"),
        ("x.csv", b"image,modality,text\na,RGB,one\na,RGB,two\n", "says two things of a in RGB"),
    ],
)
def test_a_damaged_file_is_said(tmp_path: Path, name: str, content: bytes, match: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=match) as caught:
        read_captions(tmp_path / name)
    assert caught.value.expected and caught.value.do


def test_ids_are_framed_and_cut_as_clip_does_it() -> None:
    assert framed((7, 8), (5,))[:6] == [START, 5, 7, 8, END, 0]
    whole, longer = range(1, 75), range(1, 76)
    assert framed(whole, (9,))[-2:] == [74, END] and not is_cut(whole, (9,))
    assert framed(longer, (9,))[-2:] == [74, END] and is_cut(longer, (9,))
    assert {len(framed(ids)) for ids in ((), (1,), range(200))} == {CONTEXT}


def test_what_is_missing_empty_too_long_or_unknown_is_counted(damaged: Path) -> None:
    rows = rows_of(damaged)
    longest = "a very long story of a coat " * 20
    rows[:4] = [
        rows[0]._replace(text=""),
        rows[1]._replace(text=longest),
        rows[2]._replace(image="nobody.jpg"),
        rows[3],
    ]
    write_captions(damaged / "captions.json", rows)
    found = coverage(opened(damaged))
    assert found is not None
    assert sum(found.images.values()) == 3 * (20 + 16)
    assert [r.modality for r in rows[:3]] == ["NI", "RGB", "TI"]
    assert (found.empty["NI"], found.missing["TI"], found.unknown) == (1, 1, 1)
    assert found.cut == {"RGB": 1, "NI": 0, "TI": 0}
    assert sum(found.captioned.values()) == 3 * 36 - 2
    words = "; ".join(found.in_words())
    for part in ("captions of 106 of 108 images", "1 images have none (TI 1)", "(NI 1)", "(RGB 1)"):
        assert part in words


def test_captions_are_part_of_the_data_where_they_are_seen(damaged: Path) -> None:
    plain = opened(damaged)
    told = plain.with_captions()
    assert plain.label == plain.label.partition("+")[0]
    assert told.label == f"{plain.label}+captions@{told.said.hash[:8]}"
    assert told.data_hash != plain.data_hash == told.pictures_hash
    rows = rows_of(damaged)
    rows[5] = rows[5]._replace(text=rows[5].text + " And more.")
    write_captions(damaged / "captions.json", rows)
    again = opened(damaged)
    assert (again.data_hash, again.label) == (plain.data_hash, plain.label)
    assert again.with_captions().data_hash not in (told.data_hash, plain.data_hash)
    (damaged / "captions.json").unlink()
    assert opened(damaged).data_hash == plain.data_hash
    with pytest.raises(DataError, match="has no captions") as caught:
        opened(damaged).with_captions()
    assert "harness data captions" in caught.value.do


def test_two_files_are_refused(damaged: Path) -> None:
    (damaged / "captions.csv").write_text("image,modality,text\n")
    with pytest.raises(DataError, match=r"captions.json and captions.csv"):
        _ = opened(damaged).captions


def test_the_embedded_set_says_what_is_drawn() -> None:
    data = open_dataset(None, load_plugins())
    told = data.with_captions()
    found = coverage(data)
    assert found is not None and found.cut is not None
    assert not sum(sum(c.values()) for c in (found.missing, found.empty, found.cut))
    first = {m: told.said.of(small_names(range(1, 2))[0], m) for m in ("RGB", "NI", "TI")}
    assert first == {
        "RGB": "A person with grey long hair, beige t-shirt, grey print, blue trousers, pink "
        "shoes.",
        "NI": "A person with dark long hair, bright trousers, dark shoes, very bright backpack.",
        "TI": "A person with warm long hair, hot t-shirt, cool shoes, cold backpack.",
    }
    # Numbers of runs with these captions are compared with earlier ones by this hash.
    assert told.said.hash.startswith("d52f9bc5c84f40e6")
    # Held-out identities are of the same data, whatever is looked at first.
    rule = HeldOut(identities=4)
    assert held_out(data, rule).with_captions().data_hash == told.data_hash
    assert held_out(told, rule).data_hash == told.data_hash
    assert replace(told, captioned=False).data_hash == data.data_hash
