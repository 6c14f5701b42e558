from __future__ import annotations

import numpy as np
import pytest
from statistics_helper import SCHEMA

from fkd.labels.words import direction, duplicates, missing, names, unsure


@pytest.mark.parametrize(
    ("shift", "said"),
    [
        ((3.14, -0.44), "3.1 px right and 0.4 px up"),
        ((-2, 0), "2.0 px left"),
        ((0, 1), "1.0 px down"),
        ((0.01, 0), "0 px"),
    ],
)
def test_directions_are_those_of_the_picture(shift, said):
    assert direction(np.array(shift)) == said


def test_points_by_name_or_number():
    assert names([10], SCHEMA) == "nose tip"
    assert names([0, 1, 10], SCHEMA) == "left eye center, right eye center and nose tip"
    assert names(range(5), SCHEMA) == "5 points"


def test_other_reasons():
    points = np.full((3, 2), np.nan)
    points[:2] = (0, 0), (5, 5)
    assert duplicates(points, points + np.array([3, 4]), 17) == (
        "the same picture is row 17, whose labels lie 5.0 px apart on average, 5.0 px at most"
    )
    sure = np.full(len(SCHEMA), 0.9)
    assert missing(np.array([10]), sure, SCHEMA) == "could be added: nose tip, 90% sure on average"
    assert unsure(2.04, 1.0) == "the model expects to be 2.0 px off; 1.0 px is usual"
