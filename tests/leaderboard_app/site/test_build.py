"""The leaderboard as files: what they hold, what they do not, and where they lie."""

from __future__ import annotations

import csv
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from harness.base.errors import HarnessError
from harness.claims import load_claims
from harness.evidence.record import RunRecord
from harness.store import STORE_NAME, Store
from leaderboard_app.site import build as built
from leaderboard_app.site.build import MARKER, build
from leaderboard_app.site.names import address_of

AddRun = Callable[..., RunRecord]

NASTY = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def site(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site of two seeds of a method on a drawn set, and the published numbers of three tables."""
    out = Path(shutil.copytree(finished, tmp_path_factory.mktemp("site") / "runs"))
    to = out.parent / "site"
    with pytest.MonkeyPatch.context() as patch:
        few = [c for c in load_claims() if c.dataset == "rgbnt201" and c.protocol in _PROTOCOLS]
        patch.setattr(built, "load_claims", lambda: tuple(few))
        build(out, to)
    return to


_PROTOCOLS = ("full", "-NI", "RGB>TI")


def _pages(site: Path) -> list[Path]:
    return sorted(site.rglob("*.html"))


def test_every_link_inside_a_site_leads_somewhere(site: Path) -> None:
    wrong = []
    for page in _pages(site):
        text = page.read_text(encoding="utf-8")
        ids = set(re.findall(r' id="([^"]+)"', text))
        for kind, link in re.findall(r'(href|src)="([^"]+)"', text):
            parts = urlsplit(link)
            if parts.scheme:
                assert parts.scheme in ("http", "https", "data", "mailto"), link
                # Links may lead away; what a page is made of may not.
                assert kind == "href" or parts.scheme == "data", link
                continue
            target = (page.parent / unquote(parts.path)) if parts.path else page
            known = ids
            if parts.path and target.suffix == ".html" and target.is_file():
                known = set(re.findall(r' id="([^"]+)"', target.read_text(encoding="utf-8")))
            if not target.is_file() or (parts.fragment and parts.fragment not in known):
                wrong.append((page.name, link))
    assert wrong == []


def test_a_site_has_no_script_and_says_when_and_of_what_it_was_made(site: Path) -> None:
    for page in _pages(site):
        text = page.read_text(encoding="utf-8")
        assert "<script" not in text
        assert re.search(r"Written on \d{4}-\d\d-\d\d from 2 runs and \d+ published numbers", text)
        assert "To cite a number, cite the paper" in text


def test_the_files_of_a_board_hold_its_rows(site: Path) -> None:
    folder = site / "board" / "rgbnt201"
    here = [c for c in load_claims() if (c.dataset, c.protocol) == ("rgbnt201", "full")]
    told = json.loads((folder / "full.json").read_text(encoding="utf-8"))
    assert len(told["rows"]) == len(here)
    lines = (folder / "full.csv").read_text(encoding="utf-8").splitlines()
    rows = list(csv.DictReader(line for line in lines if not line.startswith("#")))
    assert len(rows) == len(here)
    picture = (folder / "full.svg").read_text(encoding="utf-8")
    assert picture.startswith("<svg") and "ProxyTTT" in picture
    assert (folder / "missing-ni.html").is_file() and (folder / "rgb-to-ti.html").is_file()


def test_a_site_links_to_the_authors_code_and_says_what_numbers_were_made_with(
    site: Path,
) -> None:
    claims = (site / "claims.html").read_text(encoding="utf-8")
    link = 'href="https://github.com/924973292/DeMo" rel="noopener"'
    assert f"{link}>MIT</a>" in claims
    assert 'href="https://github.com/stone96123/MDReID" rel="noopener">no licence</a>' in claims
    method = (site / "methods" / "demo.html").read_text(encoding="utf-8")
    assert f"{link}>https://github.com/924973292/DeMo</a>, MIT" in method
    board = (site / "board" / "rgbnt201" / "full.html").read_text(encoding="utf-8")
    for page in (claims, board):
        assert "captions of the test images are used" in page


def test_pictures_of_people_are_shown_only_when_asked_for(
    site: Path, drawn: Path, tmp_path: Path, finished: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(built, "load_claims", lambda: ())
    monkeypatch.setattr("leaderboard_app.site.photos.is_drawn", lambda record: False)
    for name, data in (("without", ()), ("with", (str(drawn),))):
        build(finished, tmp_path / name, data=data)
    pictures = {
        name: sum(
            page.read_text(encoding="utf-8").count("data:image/png")
            for page in _pages(tmp_path / name)
        )
        for name in ("without", "with")
    }
    # Three queries, each with five answers.
    assert pictures == {"without": 0, "with": 18}


def test_names_of_strangers_are_text(
    add_run: AddRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(built, "load_claims", lambda: ())
    add_run(method=NASTY, dataset=NASTY, recipe={"name": NASTY})
    build(tmp_path, tmp_path / "site")
    text = "".join(page.read_text(encoding="utf-8") for page in _pages(tmp_path / "site"))
    assert NASTY not in text
    assert "&lt;script&gt;" in text


def test_a_folder_that_is_no_site_is_left_alone(tmp_path: Path) -> None:
    kept = tmp_path / "mine" / "thesis.tex"
    kept.parent.mkdir()
    kept.write_text("years of work", encoding="utf-8")
    with pytest.raises(HarnessError, match="is not empty"):
        build(tmp_path, kept.parent)
    assert kept.read_text(encoding="utf-8") == "years of work"


def test_a_site_is_written_again_in_its_place(
    tmp_path: Path, add_run: AddRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(built, "load_claims", lambda: ())
    add_run(dataset="one")
    build(tmp_path, tmp_path / "site")
    Store(tmp_path / STORE_NAME)
    add_run(dataset="two")
    (tmp_path / "site" / "old.html").touch()
    build(tmp_path, tmp_path / "site")
    assert (tmp_path / "site" / "board" / "two" / "full.html").is_file()
    assert not (tmp_path / "site" / "old.html").exists()
    assert (tmp_path / "site" / MARKER).is_file()


def test_addresses_tell_protocols_apart() -> None:
    names = ("full", "-NI", "NI", "RGB>NI", "RGB+NI", "NI>RGB", "-NI-TI", "RGB+TI>NI+TI")
    assert len({address_of(name) for name in names}) == len(names)
