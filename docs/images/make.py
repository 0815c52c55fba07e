"""Make the README's pictures again, from drawn figures: python docs/images/make.py [TO [RUNS]].

Without RUNS, an --out folder, four methods are trained for them. Those that are here show the runs
of benchmarks/all-methods.toml.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from harness.store import Summary, open_store  # noqa: E402
from tests.leaderboard_app import browser as b  # noqa: E402

# Small and short: the pictures show the pages, not how good the methods are.
SMALL = ("--recipe", "smoke", "--set", "input.height=64", "--set", "input.width=32")
RUNS = (
    ("--method", "timm", "--seeds", "1,2,3", "--set", "epochs=4"),
    ("--method", "pfnet", "--seeds", "1", "--set", "epochs=3"),
    ("--method", "hamnet", "--seeds", "1", "--set", "epochs=3"),
    ("--method", "ieee", "--seeds", "1", "--set", "epochs=3"),
)
COLOURS, TALLEST = 192, 1300


def train(out: Path) -> None:
    """About four minutes on two cores."""
    for words in RUNS:
        command = ["run", "--out", str(out), *SMALL, *words]
        code = "from harness.cli import main; main()"
        subprocess.run([sys.executable, "-c", code, *command], check=True)


def shoot(out: Path, to: Path) -> None:
    """The board of the drawn figures, a query that its best run answers half right, two runs held
    against each other, and the overview of published numbers."""
    store = open_store(out)
    best = max(store.summaries(), key=lambda run: run.metrics["mAP"])
    half = _half_right(out, best)
    runs = {run.method: run.run_id for run in store.summaries() if run.dataset == best.dataset}
    two = "&".join(f"run={run_id}" for run_id in list(runs.values())[:2])
    pages = {
        "overview": "overview?dataset=rgbnt201",
        "compare": f"compare?{two}",
        "board": f"?dataset={best.dataset}&protocol={best.protocol}",
        "queries": f"queries?run={best.run_id}&query={half}&removed=1",
    }
    with b.served(out) as address, b.chromium() as browser:
        page = b.new_page(browser)
        for name, place in pages.items():
            file = to / f"{name}.png"
            b.visit(page, address + place)
            b.shoot(page, file)
            # A palette is a third of the bytes, and no page has many colours.
            whole = Image.open(file).convert("RGB")
            shown = whole.crop((0, 0, whole.width, min(whole.height, TALLEST)))
            shown.quantize(COLOURS).save(file, optimize=True)


def _half_right(out: Path, run: Summary) -> str:
    """The query whose average precision is nearest to one half."""
    values = open_store(out).per_query([run.run_id])[run.run_id]
    said = [(abs(ap - 0.5), name) for name, ap in zip(values.names, values.ap, strict=True) if ap]
    return min(said)[1]


def main() -> None:
    """Into the folder named on the command line, or beside this file; runs may be given, too."""
    to = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    if len(sys.argv) > 2:
        shoot(Path(sys.argv[2]), to)
        return
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "runs"
        train(out)
        shoot(out, to)


if __name__ == "__main__":
    main()
