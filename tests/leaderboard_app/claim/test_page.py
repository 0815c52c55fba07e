"""A published number on a page of its own."""

from __future__ import annotations

from collections.abc import Callable

from streamlit.testing.v1 import AppTest

from harness.evidence.record import RunRecord
from leaderboard_app.shared.text import literal
from tests.leaderboard_app.conftest import words_of

AddRun = Callable[..., RunRecord]
Open = Callable[..., AppTest]

IEEE = "ieee.ieee.rgbnt201.full"


def test_a_claim_says_where_it_was_read_and_what_it_was_made_with(opened: Open) -> None:
    page = opened("claim", claim=IEEE)
    words = words_of(page)
    assert literal("IEEE (AAAI 2022)") + ", Table 1" in words
    assert "best epoch picked on the test set" in words
    assert "### 46.42" in words
    source, code = page.get("link_button")
    assert source.proto.url == "https://doi.org/10.1609/aaai.v36i3.20165"
    assert code.proto.url == "https://github.com/ziwang1121/IEEE"
    # TOP-ReID prints 47.5 for it.
    assert 47.5 in set(page.dataframe[0].value["mAP"])
    assert "harness run --method ieee --dataset /data/rgbnt201 --out" in page.code[0].value
    assert "Nobody has run it here" in words


def test_our_runs_of_a_claim_have_a_verdict(opened: Open, add_run: AddRun) -> None:
    add_run(method="ieee", dataset="rgbnt201", mAP=40.0, recipe={"name": "common"})
    words = words_of(opened("claim", claim=IEEE))
    assert "another recipe: mAP 40.00 (35.00 to 45.00), -6.42 from the claim" in words
    assert "The claim is above our interval" in words


def test_a_claim_of_a_method_that_is_not_here_says_so(opened: Open) -> None:
    page = opened("claim", claim="proxyttt.proxyttt.rgbnt201.full")
    assert "not among those that can be run here" in words_of(page)


def test_a_claim_that_is_not_there_shows_no_other(opened: Open) -> None:
    words = words_of(opened("claim", claim="no.such"))
    assert "Not in this store" in words
    assert "mAP" not in words


def test_a_claim_links_to_the_public_code_of_its_authors(opened: Open) -> None:
    page = opened("claim", claim="proxyttt.proxyttt.rgbnt201.full")
    links = [link.proto.url for link in page.get("link_button")]
    assert "https://github.com/liuzhaojun-zwd/ProxyTTT" in links
    words = words_of(page)
    assert "no licence, so for reading only" in words
    assert "trains at test time" in words


def test_a_claim_without_public_code_says_so(opened: Open) -> None:
    words = words_of(opened("claim", claim="top-reid.pfnet.rgbnt201.missing-ni"))
    assert "No public code of the authors is known." in words
