from __future__ import annotations

import numpy as np
import pytest
from statistics_helper import SCHEMA

from fkd.labels.words import duplicates, missing, names, pixels, place, unsure


@pytest.mark.parametrize(
    ("shift", "said"),
    [
        ((-52.2, -44.9), "52 px left of and 45 px above the prediction"),
        ((3.14, -0.44), "3.1 px right of and 0.4 px above the prediction"),
        ((-2, 0), "2.0 px left of the prediction"),
        ((0, 1), "1.0 px below the prediction"),
        ((0.01, 0), "on the prediction"),
    ],
)
def test_places_are_those_of_the_picture(shift, said):
    assert place(np.array(shift), "the prediction") == said


def test_distances_are_no_more_exact_than_needed():
    assert [pixels(v) for v in (0.04, 9.94, 9.96, 1234.5)] == ["0.0 px", "9.9 px", "10 px",
                                                               "1,234 px"]  # fmt: skip


def test_points_by_name_or_number():
    assert names([10], SCHEMA) == "nose tip"
    assert names([0, 1, 10], SCHEMA) == "left eye center, right eye center and nose tip"
    assert names(range(5), SCHEMA) == "5 points"


def test_other_reasons():
    points = np.full((3, 2), np.nan)
    points[:2] = (0, 0), (5, 5)
    assert duplicates(points, points + np.array([3, 4]), 17) == (
        "row 17 shows the same picture, and its labels lie 5.0 px away on average, 5.0 px at most"
    )
    sure = np.full(len(SCHEMA), 0.9)
    assert missing(np.array([10]), sure, SCHEMA) == (
        "nose tip is missing, and the model is 90% sure of its place"
    )
    assert missing(np.arange(5), sure, SCHEMA) == (
        "5 points are missing, and the model is 90% sure of their places on average"
    )
    assert unsure(2.04, 1.0) == "the model expects an error of 2.0 px; 1.0 px is usual for it"
