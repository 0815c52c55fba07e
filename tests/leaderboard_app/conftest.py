"""Folders of records, made without any training."""

from __future__ import annotations

import json
import sys
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest
from playwright.sync_api import Browser, Page
from streamlit.testing.v1 import AppTest

import leaderboard_app.app
from harness.base.hashing import digest
from harness.cli import main
from harness.evidence.record import METRICS, RunRecord, make_record
from harness.spec.protocol import BoundProtocol
from harness.store import STORE_NAME, Store
from tests.leaderboard_app.browser import chromium, new_page
from tests.leaderboard_app.runs import harness_run


@pytest.fixture
def add_run(tmp_path: Path) -> Callable[..., RunRecord]:
    """Add a record to the store in `tmp_path`; `changes` replace whole fields of it."""

    def add(
        mAP: float = 50.0,
        dataset: str = "rgbnt201",
        data: str = "a",
        protocol: str = "full",
        made_like: str | None = None,
        bound: dict[str, Any] | None = None,
        **changes: Any,
    ) -> RunRecord:
        whole = BoundProtocol(name=protocol, title="a protocol", filter="same_pid_same_cam")
        fields = {
            "dataset": {"label": dataset, "data_hash": digest(data), "made_like": made_like},
            "protocol": bound or whole.model_dump(mode="json"),
            # By name here, so that two protocols are two tables.
            "protocol_hash": digest(protocol),
            "metrics": dict.fromkeys(METRICS, mAP),
            "intervals": dict.fromkeys(METRICS, (mAP - 5.0, mAP + 5.0)),
        }
        record = make_record(**{**_COMMON, **fields, **changes})
        Store(tmp_path / STORE_NAME).add(record, tmp_path / record.run_id / "record.json")
        return record

    return add


Open = Callable[..., AppTest]


@pytest.fixture(scope="session")
def finished(tiny: Path, drawn: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An --out folder with two seeds of a method on a drawn set. Not to be changed."""
    out = tmp_path_factory.mktemp("finished")
    harness_run(tiny, out, "--dataset", str(drawn), "--recipe", "smoke", "--seeds", "1,2")
    return out


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with chromium() as one:
        yield one


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    one = new_page(browser)
    yield one
    one.close()


class Bundles(NamedTuple):
    """Archives of one run: as `harness submit` made it, and with a better mAP written into it."""

    good: Path
    bad: Path
    run_id: str


@pytest.fixture(scope="session")
def bundles(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Bundles:
    """What visitors may send. Not to be changed."""
    run = Store(finished / STORE_NAME).all()[0]
    folder = tmp_path_factory.mktemp("bundles")
    good, bad = folder / "good.zip", folder / "bad.zip"
    with pytest.MonkeyPatch.context() as patch:
        words = ["submit", run.record.run_id, "--out", str(finished), "--to", str(good)]
        patch.setattr(sys, "argv", ["harness", *words])
        with pytest.raises(SystemExit, match=r"^0$"):
            main()
    with zipfile.ZipFile(good) as old, zipfile.ZipFile(bad, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "record.json":
                record = json.loads(content)
                record["metrics"]["mAP"] = 99.5
                content = json.dumps(record).encode()
            new.writestr(name, content)
    return Bundles(good, bad, run.record.run_id)


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Open:
    """A page on `tmp_path`, opened at an address with these parameters."""

    def open_(
        name: str = "board", folder: Path = tmp_path, options: Sequence[str] = (), **params: Any
    ) -> AppTest:
        monkeypatch.setattr("sys.argv", ["app.py", str(folder), *options])
        page = AppTest.from_file(str(leaderboard_app.app.__file__), default_timeout=60)
        if name == "board":
            page.query_params.update(params)
        page.run()
        if name != "board":
            page.switch_page(f"{name}/page.py")
            page.query_params.update(params)
            page.run()
        assert not page.exception, page.exception
        return page

    return open_


def words_of(page: AppTest) -> str:
    """Everything a page says outside its tables."""
    parts = [*page.title, *page.subheader, *page.markdown, *page.caption, *page.text, *page.code]
    parts += [*page.info, *page.warning, *page.error, *page.success]
    parts += [SimpleNamespace(value=status.label) for status in page.status]
    return "\n".join(str(part.value) for part in parts)


_COMMON: dict[str, Any] = {
    "created": "2026-11-23T14:44:10.694+00:00",
    "harness_version": "0.1.0",
    "method": "tiny",
    "missing_policy": "none",
    "recipe": {"name": "smoke", "epochs": 3, "optimiser": {"name": "adam", "lr": 0.001}},
    "recipe_hash": digest("recipe"),
    "seed": 1,
    "selection": "last",
    "code_hash": digest("code"),
    "inputs_hash": digest("inputs"),
    "chance": dict.fromkeys(METRICS, 5.294),
    "queries": 10,
    "valid_queries": 8,
    "cmc": [1 - 0.5 / rank for rank in range(1, 51)],
    "per_query": {
        "names": [f"{500 + i // 2:06d}_cam{1 + i % 2}_0_00.jpg" for i in range(10)],
        "pids": [500 + i // 2 for i in range(10)],
        "ap": [*(0.2 + 0.07 * i for i in range(8)), None, None],
        "first_rank": [*(1 + i % 3 for i in range(8)), None, None],
        "inp": [*(0.1 + 0.05 * i for i in range(8)), None, None],
    },
    "training": [
        {"epoch": epoch, "lr": 0.001, "losses": {"identity": 4 / epoch, "triplet": 1 / epoch}}
        for epoch in range(1, 4)
    ],
    "cost": {"parameters": 398220, "gflops": 0.125853696, "latency_ms": 81.502},
    "environment": {"python": "3.11.7", "packages": {"torch": "2.14.1"}, "device": "cpu"},
    "evidence": {"features": {"file": "features.npz", "sha256": "3" * 64}},
}
