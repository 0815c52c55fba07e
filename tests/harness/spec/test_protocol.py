"""Protocols: what their hashes stand for, which sets they fit, what they leave out."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.base.errors import ProtocolError
from harness.spec.dataset import load_card
from harness.spec.missing import RandomMissing
from harness.spec.modality import MODALITIES
from harness.spec.plugins import load_plugins
from harness.spec.protocol import BoundProtocol, Protocol
from tests.conftest import ROOT, Harness

CARD = load_card(ROOT / "datasets" / "cards" / "synthetic.toml")
TWO = CARD.model_copy(update={"name": "two", "modalities": ("RGB", "NI")})
KNOWN = load_plugins().protocols


def test_full_keeps_the_hash_of_the_first_records() -> None:
    # Records made before missing modalities, corruptions and ties were fields carry this hash.
    added = {"random_missing", "corruption", "groups", "ties"}
    old = KNOWN["full"].bind(CARD).model_dump(exclude=added) | {"version": 1}
    assert BoundProtocol.model_validate(old).hash.startswith("aa399af56f5e")
    assert BoundProtocol.model_validate(old).ties is None


def test_every_protocol_means_something_else() -> None:
    hashes = {p.bind(CARD).hash for p in KNOWN.values()}
    assert len(hashes) == len(KNOWN) >= 135


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({"name": "x", "title": "y", "used_by": ("z",), "groups": ("g",)}, True),
        ({"query_modalities": ("RGB",)}, False),
        ({"random_missing": {"percent": 10}}, False),
        ({"corruption": {"kind": "fog", "severity": 3}}, False),
        ({"filter": "none"}, False),
        ({"version": 1}, False),
        ({"ties": None}, False),
    ],
)
def test_a_word_changes_no_hash_and_a_meaning_does(change: dict[str, Any], same: bool) -> None:
    other = Protocol.model_validate(KNOWN["full"].model_dump() | change)
    assert (other.bind(CARD).hash == KNOWN["full"].bind(CARD).hash) is same


@pytest.mark.parametrize(
    ("name", "word"),
    [("-TI", "no TI"), ("RGB+TI", "no TI"), ("corrupt-mixed-TI", "no TI"), ("-NI-TI", "")],
)
def test_a_set_without_the_modality_is_refused(name: str, word: str) -> None:
    if name == "-NI-TI":
        assert KNOWN[name].bind(TWO).query_modalities == ("RGB",)
        return
    with pytest.raises(ProtocolError) as error:
        KNOWN[name].bind(TWO)
    assert "two" in str(error.value)


def test_full_is_all_that_a_set_has() -> None:
    assert KNOWN["full"].bind(TWO).hash == KNOWN["RGB+NI"].bind(TWO).hash
    # Without TI nothing is missing on a set that never had it: the name would promise too much.
    with pytest.raises(ProtocolError, match="nothing is left out"):
        KNOWN["-TI"].bind(TWO)


@pytest.mark.parametrize("name", ["RGB>TI@regdb", "RGB>NI@sysu", "-NI", "random-missing-30"])
def test_show_says_it_in_words(harness: Harness, name: str) -> None:
    whole = harness("show", "protocol", name)
    assert whole.code == 0
    for word in ("Trained on", "Queried with", "Searched in", "Removed", "Measured", "used by"):
        assert word in whole.out
    whole_json = harness("show", "protocol", name, "--json").json
    assert whole_json["on synthetic"]["hash"] == KNOWN[name].bind(CARD).hash


def test_the_list_fits_a_page(harness: Harness) -> None:
    out = harness("list", "protocols").out
    assert "corrupt-KIND-1 to -5" in out and "corrupt-fog-3" not in out
    assert len(harness("list", "protocols", "--json").json["protocols"]) == len(KNOWN)


def test_a_plugin_may_list_its_protocols(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    from importlib.metadata import EntryPoint

    from harness.spec import plugins

    def entries(group: str) -> list[EntryPoint]:
        if group != "harness.protocols":
            return []
        return [EntryPoint("many", "reid_datasets.protocols:PROTOCOLS", group)]

    monkeypatch.setattr(plugins, "entry_points", entries)
    assert list(load_plugins().protocols)[:2] == ["full", "validation"]


@given(st.text(min_size=1, max_size=30), st.integers(1, 99))
def test_a_sample_keeps_at_least_one_modality(name: str, percent: int) -> None:
    kept = RandomMissing(percent=percent).kept(name, MODALITIES)
    assert kept and kept == RandomMissing(percent=percent).kept(name, reversed(MODALITIES))
    assert RandomMissing(percent=percent).kept(name, ("NI",)) == ("NI",)


def test_the_masks_are_fixed() -> None:
    # These very masks must come out on every machine; see harness/spec/missing.py.
    kept = ["".join(m[0] for m in RandomMissing(percent=50).kept(f"{i}.jpg", MODALITIES))
            for i in range(8)]  # fmt: skip
    assert kept == ["R", "NT", "NT", "RT", "RN", "R", "RNT", "T"]
    names = [f"{i}.jpg" for i in range(3000)]
    left = sum(len(RandomMissing(percent=30).kept(n, MODALITIES)) for n in names) / 9000
    # All three go with 2.7 %, and one of them stays then: 0.7 + 0.027 / 3.
    assert left == pytest.approx(0.709, abs=0.02)
