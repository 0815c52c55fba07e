"""A quick method whose runs can be held, broken and counted, and plans of it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Answer, Harness

QUICK = '''
"""One linear layer; files in the folder $QUICK hold it, break it, and count what it does."""
import os
import time
from pathlib import Path

import torch
from pydantic import BaseModel, ConfigDict
from torch import nn

from harness import MethodInfo

AT = Path(os.environ["QUICK"])


class QuickConfig(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    size: int = 8


class Quick:
    steps = 0

    def build(self, config, data):
        if (AT / f"break-{config.size}").exists():
            raise RuntimeError("a part fell off")
        with (AT / f"built-{config.size}").open("a") as file:
            file.write(f"{data.pretrained} {os.getpid()}\\n")
        self.size = config.size
        layers = [nn.Linear(3 * data.height * data.width, config.size), nn.Dropout(0.2)]
        return nn.ModuleDict(
            {"body": nn.Sequential(*layers), "head": nn.Linear(config.size, data.classes)}
        )

    def embed(self, model, batch):
        return torch.stack([model["body"](x.flatten(1)) for x in batch.images.values()]).mean(0)

    def loss(self, model, batch):
        Quick.steps += 1
        hold = AT / f"hold-{self.size}"
        if Quick.steps == 3 and hold.exists():
            hold.with_name(f"held-{self.size}").touch()
            while hold.exists():
                time.sleep(0.01)
        logits = model["head"](self.embed(model, batch))
        return {"identity": nn.functional.cross_entropy(logits, batch.pids)}


METHOD = MethodInfo(name="quick", target=f"{__name__}:Quick", config=QuickConfig)
'''


class Bench:
    """A folder with the method and plans, and the command line at it."""

    def __init__(self, folder: Path, data: Path, harness: Harness) -> None:
        self.folder, self.data, self.harness = folder, data, harness
        self.plugin = folder / "quick.py"
        self.plugin.write_text(QUICK)
        self.out = folder / "runs"

    def plan(self, name: str, sizes: list[int], seeds: list[int], more: str = "") -> Path:
        """A sweep of the method in some sizes, of two epochs of five steps."""
        grid = ", ".join(f'"size={size}"' for size in sizes)
        path = self.folder / f"{name}.toml"
        path.write_text(
            f'dataset = "{self.data}"\nrecipe = "smoke"\nseeds = {seeds}\n'
            'set = ["epochs=2", "input.height=16", "input.width=16", '
            '"sampler.identities=2", "sampler.instances=2"]\n'
            f'[[runs]]\nmethod = "quick"\ngrid.size = [{grid}]\n{more}'
        )
        return path

    def words(self, *words: object) -> list[str]:
        more = ["--plugin", self.plugin, "--out", self.out, "--device", "cpu"]
        return ["sweep", *map(str, [*words, *more])]

    def sweep(self, *words: object) -> Answer:
        return self.harness(*self.words(*words, "--json"))

    def begin(self, *words: object) -> subprocess.Popen[bytes]:
        """The command in a process of its own."""
        command = [sys.executable, "-m", "harness.cli", *self.words(*words, "--json")]
        with (self.folder / "begun.err").open("ab") as err:
            return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=err)

    def status(self, *words: object) -> dict[str, Any]:
        found: dict[str, Any] = self.harness(
            "sweep", "status", *words, "--out", self.out, "--json"
        ).json
        return found

    def states(self, *words: object) -> dict[str, str]:
        """How each run is, by what it is called behind `smoke` and its seed."""
        return {
            f"{run['label'].partition(' smoke')[2].strip()}/{run['seed']}": run["state"]
            for run in self.status(*words)["runs"]
        }

    def trained(self, size: int) -> int:
        """How many processes built the model to train it."""
        path = self.folder / f"built-{size}"
        return len(path.read_text().splitlines()) if path.exists() else 0

    def hold(self, size: int) -> Path:
        """Let the runs of a size wait in their third step until the file is gone."""
        path = self.folder / f"hold-{size}"
        path.touch()
        return path

    def wait_for(self, what: Callable[[], object], seconds: float = 240.0) -> None:
        upto = time.monotonic() + seconds
        while not what():
            said = self.folder / "begun.err"
            assert time.monotonic() < upto, said.read_text() if said.exists() else "it never came"
            time.sleep(0.05)

    def weights(self, out: str = "runs") -> dict[str, bytes]:
        """The weights of every finished run under an --out folder, by recipe and seed."""
        files = (self.folder / out).glob("*/*/weights.safetensors")
        return {f"{f.parent.parent.name}/{f.parent.name}": f.read_bytes() for f in files}


@pytest.fixture
def bench(
    tmp_path: Path, drawn: Path, harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Bench]:
    monkeypatch.setenv("QUICK", str(tmp_path))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setattr("harness.sweeps.start._LOOK", 0.5)
    made = Bench(tmp_path, drawn, harness)
    yield made
    for file in tmp_path.glob("hold-*"):
        file.unlink()
