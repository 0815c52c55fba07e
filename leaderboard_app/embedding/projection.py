"""Descriptors drawn in the plane: one t-SNE over all points of a picture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.evidence.features_file import Side
from harness.spec.modality import MODALITIES

WHOLE = "whole descriptor"

# Fewer points than this are no picture; a neighbourhood is at most a third of the points.
_FEWEST = 4
_PERPLEXITY = 30.0


def points(
    side: Side,
    columns: dict[str, tuple[int, int]],
    pids: Sequence[int],
    most: int,
    seed: int = 0,
) -> pd.DataFrame:
    """The chosen identities' descriptors as points; empty when there are too few.

    Args:
        side: Descriptors and who is who.
        columns: Which columns come from one modality alone; {} draws whole descriptors. The parts
            of all modalities are laid out together, so they must be equally wide to be drawn.
        pids: Identities to draw, as in Figure 7 of IEEE (AAAI 2022), which has six.
        most: Samples of one identity at most; a larger number is thinned evenly.
        seed: Of t-SNE.

    Returns:
        Columns x, y, identity, modality, name.
    """
    rows = np.concatenate([_thinned(np.flatnonzero(side.labels.pids == p), most) for p in pids])
    parts = _parts(side.features[rows], columns)
    names = [side.names[i] for i in rows]
    frame = pd.concat(
        [
            pd.DataFrame(
                {
                    "identity": [str(p) for p in side.labels.pids[rows]],
                    "modality": modality,
                    "name": names,
                }
            )
            for modality in parts
        ],
        ignore_index=True,
    )
    if len(frame) < _FEWEST:
        return frame.iloc[:0].assign(x=[], y=[])
    plane = tsne(np.concatenate(list(parts.values())), seed)
    return frame.assign(x=plane[:, 0], y=plane[:, 1])


def tsne(features: NDArray[np.float32], seed: int) -> NDArray[np.float32]:
    """(n, 2) t-SNE of (n, d) features (van der Maaten and Hinton, JMLR 2008), from PCA."""
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    perplexity = min(_PERPLEXITY, (len(features) - 1) / 3)
    made = TSNE(2, perplexity=perplexity, init="pca", random_state=seed)
    # So few points are nothing for threads: on a busy machine they wait for each other in circles,
    # forty times as long as one alone takes.
    with threadpool_limits(1):
        return np.asarray(made.fit_transform(features), dtype=np.float32)


def drawable(columns: object, width: int) -> dict[str, tuple[int, int]]:
    """The columns a record names, if they are equal parts of a descriptor of this width.

    A record is anybody's; what does not make sense in it is as if it were not there.
    """
    if not isinstance(columns, dict):
        return {}
    found: dict[str, tuple[int, int]] = {}
    for modality in MODALITIES:
        ends = columns.get(modality)
        if ends is None:
            continue
        if not (isinstance(ends, list | tuple) and len(ends) == 2):
            return {}
        first, last = ends
        if not (isinstance(first, int) and isinstance(last, int) and 0 <= first < last <= width):
            return {}
        found[modality] = (first, last)
    widths = {last - first for first, last in found.values()}
    return found if len(found) > 1 and len(widths) == 1 else {}


def _parts(
    features: NDArray[np.float32], columns: dict[str, tuple[int, int]]
) -> dict[str, NDArray[np.float32]]:
    if not columns:
        return {WHOLE: features}
    return {modality: features[:, first:last] for modality, (first, last) in columns.items()}


def _thinned(rows: NDArray[np.intp], most: int) -> NDArray[np.intp]:
    if len(rows) <= most:
        return rows
    return rows[np.linspace(0, len(rows) - 1, most).round().astype(np.intp)]
