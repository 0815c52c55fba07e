"""What is measured, on arrays alone: distances, ranks, scores, and what chance would score."""

from __future__ import annotations

from harness.scoring.ranking import rank, rank_lists, rows_scored, score, score_features
from harness.scoring.result import Ranking, Score, merged

__all__ = [
    "Ranking",
    "Score",
    "merged",
    "rank",
    "rank_lists",
    "rows_scored",
    "score",
    "score_features",
]
