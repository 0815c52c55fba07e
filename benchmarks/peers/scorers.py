"""Other people's evaluators, each on the same matrix of distances, for a worker process."""

from __future__ import annotations

import hashlib
import importlib.util
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from benchmarks.made_up import read_ranked
from benchmarks.peers.borrow import borrowed

Evaluator = Callable[[], dict[str, Any]]
_RANKS = (1, 5, 10)
_LONGEST = 50


def built(path: str, package: str) -> str:
    """A folder with the compiled `rank_cy` of torchreid or fast-reid; theirs is only read.

    Raises:
        RuntimeError: It could not be built, with the compiler's or Cython's last line.
    """
    from harness.base.files import cache_folder

    source = Path(path) / package / "evaluation" / "rank_cylib"
    source = source if source.is_dir() else Path(path) / package / "metrics" / "rank_cylib"
    words = (source / "rank_cy.pyx").read_bytes() + sys.version.encode()
    target = cache_folder() / "bench" / f"{package}-{hashlib.sha256(words).hexdigest()[:16]}"
    if not list(target.glob("rank_cy*.so")):
        shutil.copytree(source, target, dirs_exist_ok=True)
        command = [sys.executable, "setup.py", "build_ext", "--inplace"]
        done = subprocess.run(command, cwd=target, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            shutil.rmtree(target)
            raise RuntimeError(done.stderr.strip().splitlines()[-1])
    return str(target)


def cython(path: str, package: str, data: str) -> Evaluator:
    """The compiled evaluator of torchreid or fast-reid."""
    sys.path.insert(0, built(path, package))
    module = importlib.import_module("rank_cy")
    return _market(module.evaluate_cy, data)


def torchreid_python(path: str, data: str) -> Evaluator:
    """torchreid's evaluator in Python."""
    module = _alone(Path(path) / "torchreid" / "metrics" / "rank.py")
    return _market(lambda *words: module.evaluate_rank(*words, use_cython=False), data)


def transreid(path: str, data: str) -> Evaluator:
    """The `eval_func` of TransReID, which its whole family copies."""
    return _market(borrowed(Path(path), "utils.metrics").eval_func, data)


def oml(path: str, data: str) -> Evaluator:
    """OML's functional metrics, after a sort by torch; entries the filter removes are cut out."""
    import torch

    metrics = borrowed(Path(path), "oml.functional.metrics")
    distances, told = read_ranked(data)
    named = {name: torch.from_numpy(values) for name, values in told.items()}
    matrix = torch.from_numpy(distances)

    def work() -> dict[str, Any]:
        retrieved, relevant = [], []
        for row, pid, cam in zip(matrix, named["q_pids"], named["q_cams"], strict=True):
            same = named["g_pids"] == pid
            removed = same & (named["g_cams"] == cam)
            order = row.argsort()
            retrieved.append(order[~removed[order]])
            relevant.append((same & ~removed).nonzero().flatten())
        found = metrics.calc_retrieval_metrics(
            retrieved, relevant, None, _RANKS, (), (matrix.shape[1],), verbose=False
        )
        cmc = [float(found["cmc"][rank]) for rank in _RANKS]
        return {"mAP": float(found["map"][matrix.shape[1]]), "cmc": cmc}

    return work


def rerank(path: str, queries: int, gallery: int, width: int) -> Callable[[], dict[str, Any]]:
    """torchreid's NumPy re-ranking, which goes round the field, with the distances it needs."""
    from benchmarks.made_up import distances, told_of, two_sides

    module = _alone(Path(path) / "torchreid" / "utils" / "rerank.py")
    one, two = two_sides(queries, gallery, width)

    def work() -> dict[str, Any]:
        blocks = distances(one, two), distances(one, one), distances(two, two)
        started = time.perf_counter()
        told = told_of(module.re_ranking(*blocks))
        return {"told": told, "alone": time.perf_counter() - started}

    return work


def _market(evaluate: Callable[..., Any], data: str) -> Evaluator:
    """With the arguments that torchreid's evaluator has, and whoever took it over."""
    distances, told = read_ranked(data)
    names = [told[name] for name in ("q_pids", "g_pids", "q_cams", "g_cams")]

    def work() -> dict[str, Any]:
        cmc, found = evaluate(distances, *names, _LONGEST)[:2]
        # fast-reid gives the average precision of every query.
        return {"mAP": float(np.mean(found)), "cmc": [float(cmc[rank - 1]) for rank in _RANKS]}

    return work


def _alone(path: Path) -> ModuleType:
    """One file as a module, without the package around it and all that it imports."""
    spec = importlib.util.spec_from_file_location(f"peer_{path.stem}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
