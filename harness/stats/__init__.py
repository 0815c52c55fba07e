"""What the few identities of a test set can and cannot say."""

from harness.stats.bootstrap import Floats, identity_interval
from harness.stats.paired import Paired, holm, paired
from harness.stats.ranks import Ranking, Resolution, mean_intervals, rank_groups, resolution

__all__ = [
    "Floats",
    "Paired",
    "Ranking",
    "Resolution",
    "holm",
    "identity_interval",
    "mean_intervals",
    "paired",
    "rank_groups",
    "resolution",
]
