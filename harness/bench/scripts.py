"""The scripts of a checkout's `benchmarks/` folder: which there are, and running one of them."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from harness.base.errors import HarnessError, UnknownNameError


class Script(NamedTuple):
    """One of them, read but not run.

    Attributes:
        peers: Names of `peers/peers.toml` that it can hold us against.
    """

    name: str
    about: str
    peers: tuple[str, ...]


def find_benchmarks() -> Path:
    """The benchmarks folder of the checkout that this code is of, or that the user stands in.

    Raises:
        HarnessError: There is none: a package from a registry has no benchmarks.
    """
    looked = [Path(__file__).parents[2] / "benchmarks", Path.cwd() / "benchmarks"]
    for folder in looked:
        if (folder / "peers" / "peers.toml").is_file():
            return folder
    raise HarnessError(
        seen=f"no benchmarks folder in {looked[0].parent} or {looked[1].parent}",
        expected="a checkout of the repository; an installed package has no benchmarks",
        do="clone the repository and run harness bench in it",
    )


def scripts_of(benchmarks: Path) -> dict[str, Script]:
    """Every script with a function `rows`, by name."""
    found = (_read(path) for path in sorted(benchmarks.glob("*.py")))
    return {script.name: script for script in found if script is not None}


def chosen_of(names: Sequence[str], known: dict[str, Script]) -> list[Script]:
    """The scripts of these names, or all.

    Raises:
        UnknownNameError: There is no such script.
    """
    for name in names:
        if name not in known:
            raise UnknownNameError("benchmark", name, list(known))
    return [known[name] for name in names or known]


def run(script: Script, benchmarks: Path, words: Sequence[str]) -> list[dict[str, Any]]:
    """The rows of a script, as `Row.as_json` gives them; it runs in a process of its own.

    Raises:
        HarnessError: It failed; what it said went to standard error.
    """
    command = [sys.executable, "-m", f"benchmarks.{script.name}", "--json", *words]
    done = subprocess.run(
        command, cwd=benchmarks.parent, stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode != 0:
        raise HarnessError(
            seen=f"benchmarks/{script.name}.py ended with {done.returncode}",
            expected="rows",
            do=f"see what it said above; alone: python -m benchmarks.{script.name}",
        )
    rows: list[dict[str, Any]] = json.loads(done.stdout)["rows"]
    return rows


def _read(path: Path) -> Script | None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    if not any(isinstance(one, ast.FunctionDef) and one.name == "rows" for one in tree.body):
        return None
    peers: tuple[str, ...] = ()
    for one in tree.body:
        if isinstance(one, ast.Assign) and ast.unparse(one.targets[0]) == "PEERS":
            peers = ast.literal_eval(one.value)
    about = (ast.get_docstring(tree) or "").partition("\n\n")[0].replace("\n", " ")
    return Script(path.stem, about, peers)
