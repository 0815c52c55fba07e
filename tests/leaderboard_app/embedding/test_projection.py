"""Descriptors in the plane."""

from __future__ import annotations

import numpy as np
import pytest

from harness.evidence.features_file import Side
from harness.scoring.labels import Labels
from leaderboard_app.embedding.projection import WHOLE, drawable, points

COLUMNS = {"RGB": (0, 4), "TI": (4, 8)}


@pytest.fixture
def side() -> Side:
    rng = np.random.default_rng(0)
    pids = np.repeat([3, 5, 9], 20)
    # Far apart by identity, so that the picture must keep them apart.
    features = rng.normal(size=(60, 8)) + 30 * pids[:, None]
    names = tuple(f"{i}.jpg" for i in range(60))
    return Side(features.astype(np.float32), names, Labels(pids, None))


def test_a_point_for_each_modality_and_identities_apart(side: Side) -> None:
    frame = points(side, COLUMNS, (3, 9), 15)
    assert len(frame) == 2 * 2 * 15
    assert set(frame["modality"]) == {"RGB", "TI"}
    assert set(frame["identity"]) == {"3", "9"}
    centres = frame.groupby("identity")[["x", "y"]].mean()
    spread = frame.groupby("identity")[["x", "y"]].std().to_numpy().max()
    assert np.linalg.norm(centres.loc["3"] - centres.loc["9"]) > spread
    assert points(side, COLUMNS, (3, 9), 15).equals(frame)


def test_without_columns_a_point_is_a_whole_descriptor(side: Side) -> None:
    frame = points(side, {}, (5,), 100)
    assert list(frame["modality"].unique()) == [WHOLE]
    assert list(frame["name"]) == [f"{i}.jpg" for i in range(20, 40)]


def test_too_few_points_are_no_picture(side: Side) -> None:
    assert points(side, {}, (5,), 3).empty


@pytest.mark.parametrize(
    "columns",
    [
        None,
        "RGB",
        {"RGB": [0, 4]},
        {"RGB": [0, 4], "TI": [4, 9]},
        {"RGB": [0, 3], "TI": [3, 8]},
        {"RGB": [0, "4"], "TI": [4, 8]},
        {"RGB": [4, 0], "TI": [4, 8]},
        {"RGB": 4, "TI": [4, 8]},
    ],
)
def test_columns_that_make_no_sense_are_not_used(columns: object) -> None:
    assert drawable(columns, 8) == {}


def test_columns_of_a_record_are_used_in_the_order_of_modalities() -> None:
    assert list(drawable({"TI": [0, 4], "RGB": [4, 8]}, 8)) == ["RGB", "TI"]
