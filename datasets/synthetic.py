"""The embedded synthetic set: drawn on first use, read like RGBNT201."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from harness.base.progress import progress, say
from harness.data.captions import Caption
from harness.spec.dataset import Card
from reid_datasets.describe import captions_of
from reid_datasets.figures import draw_identity
from reid_datasets.names import embedded_names, parse
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

    def captions(self) -> Iterator[Caption]:
        """What is said of each image, made of what was drawn; they are the same every time."""
        for names in embedded_names().values():
            for name in names:
                yield from captions_of(name, draw_identity(SEED, parse(name)[0]))

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
