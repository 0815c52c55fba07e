"""The order of equally near gallery samples, which knows nothing of who is who."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from harness.scoring.labels import Ints
from harness.scoring.result import Ranking


def tie_order(names: Sequence[str]) -> Ints:
    """A fixed order of samples: by the SHA-256 of their names, the same for everyone.

    Lists of samples are sorted by identity. Where they decide a tie, a model that tells nobody
    from anybody finds neighbours of one identity together, and seems better than chance.

    Args:
        names: Of n samples; equal ones stay in their order.

    Returns:
        (n,) places in the list, in the order in which equally near samples are ranked.
    """
    keys = [hashlib.sha256(name.encode("utf-8", "surrogateescape")).digest() for name in names]
    return np.array(sorted(range(len(keys)), key=keys.__getitem__), dtype=np.int64)


def in_list_order(ranking: Ranking, gallery: Ints, query: Ints | None = None) -> Ranking:
    """A ranking of samples that were put into another order, as one of the lists before that.

    Args:
        ranking: Of the samples in the other order.
        gallery: (g,) the places of the gallery samples in their list.
        query: (q,) the same of the queries; None where their order was not changed.
    """
    lists = ranking.rank_lists
    lists = np.where(lists < 0, lists, gallery[lists]).astype(lists.dtype)
    if query is None:
        return Ranking(ranking.score, lists)
    back = np.argsort(query)
    per_query = ("per_query_ap", "per_query_inp", "first_rank", "positives", "candidates", "tied")
    score = replace(ranking.score, **{n: getattr(ranking.score, n)[back] for n in per_query})
    return Ranking(score, lists[back])
