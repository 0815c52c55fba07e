"""The leaderboard: pure functions from summaries of runs and published claims to tables."""

from harness.board.build import board
from harness.board.clean import is_clean, is_second_hand, tag_words
from harness.board.frames import Frames, frames
from harness.board.names import Folded, folded
from harness.board.ranking import rank_table, row_interval
from harness.board.rows import BoardRow, BoardTable, Claimed, PerQuery
from harness.board.same import one_table, require_same
from harness.board.values import metric_values

__all__ = [
    "BoardRow",
    "BoardTable",
    "Claimed",
    "Folded",
    "Frames",
    "PerQuery",
    "board",
    "folded",
    "frames",
    "is_clean",
    "is_second_hand",
    "metric_values",
    "one_table",
    "rank_table",
    "require_same",
    "row_interval",
    "tag_words",
]
