"""The embedded synthetic set: drawn on first use, read like RGBNT201."""

from __future__ import annotations

from pathlib import Path

from harness.base.progress import progress, say
from harness.spec.dataset import Card
from reid_datasets.names import embedded_names
from reid_datasets.parallel import Parallel
from reid_datasets.synthesize import write_parallel

# Raised whenever the drawing changes, so that an old copy in a cache is not taken for the new.
VERSION = 1
SEED = 0


class Synthetic(Parallel):
    """Articulated figures seen by two cameras in RGB, NI and TI."""

    @staticmethod
    def recognises(root: Path, card: Card) -> bool:
        """Never by layout: that is RGBNT201's, and its loader reads such a folder."""
        return False

    @staticmethod
    def ensure(base: Path) -> Path:
        """The folder of the set under `base`, drawn if it is not there yet."""
        root = base / f"synthetic-v{VERSION}"
        if not (root / "SYNTHETIC.json").exists():
            names = embedded_names()
            total = sum(map(len, names.values()))
            say(f"drawing the embedded synthetic set ({total} triplets) into {root}")
            with progress("drawing", total, " triplets") as advance:
                write_parallel(root, names, SEED, name="synthetic", progress=advance)
        return root
