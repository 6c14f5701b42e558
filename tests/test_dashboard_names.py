"""Names of points on a large face: beside their point, inside the image, not over each other."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from dashboard.names import FONT, Name, name_places
from dashboard.words import short_label
from fkd.keypoints import KAGGLE_15

RADIUS = 0.7
WIDTH, HEIGHT = KAGGLE_15.width, KAGGLE_15.height


def box(k: int, name: Name) -> np.ndarray:
    """What the letters of the name of point ``k`` cover, measured sparingly."""
    length = 0.5 * FONT * len(short_label(KAGGLE_15.keypoints[k].label))
    left = name.x - length * {"start": 0, "middle": 0.5, "end": 1}[name.anchor]
    return np.array([left, name.y - 0.7 * FONT, left + length, name.y])


def overlap(a: np.ndarray, b: np.ndarray) -> bool:
    return bool((np.minimum(a[2:], b[2:]) > np.maximum(a[:2], b[:2])).all())


def dot(place: np.ndarray) -> np.ndarray:
    return np.concatenate([place - 0.9 * RADIUS, place + 0.9 * RADIUS])


# A frontal face as in Kaggle's file, in px.
FACE = {
    "left_eye_center": (66, 37), "right_eye_center": (30, 37),
    "left_eye_inner_corner": (59, 38), "left_eye_outer_corner": (73, 38),
    "right_eye_inner_corner": (37, 38), "right_eye_outer_corner": (23, 38),
    "left_eyebrow_inner_end": (56, 29), "left_eyebrow_outer_end": (80, 30),
    "right_eyebrow_inner_end": (40, 29), "right_eyebrow_outer_end": (16, 30),
    "nose_tip": (48, 58), "mouth_left_corner": (63, 75), "mouth_right_corner": (33, 75),
    "mouth_center_top_lip": (48, 73), "mouth_center_bottom_lip": (48, 82),
}  # fmt: skip


def test_on_a_whole_face_no_name_covers_another_or_a_point():
    points = np.array([FACE[name] for name in KAGGLE_15.names], float)
    names = name_places(points, KAGGLE_15, RADIUS)
    boxes = [box(k, name) for k, name in enumerate(names)]
    for k, one in enumerate(boxes):
        assert not any(overlap(one, other) for other in boxes[:k]), KAGGLE_15.names[k]
        assert not any(overlap(one, dot(place)) for place in points), KAGGLE_15.names[k]


places = hnp.arrays(np.float32, (len(KAGGLE_15), 2), elements=st.floats(0, WIDTH - 1, width=32))
there = hnp.arrays(np.bool_, len(KAGGLE_15))


@given(places, there)
def test_each_point_that_is_there_has_its_name_beside_it(points, present):
    points[~present] = np.nan
    names = name_places(points, KAGGLE_15, RADIUS)
    assert [name is not None for name in names] == present.tolist()
    for k in np.flatnonzero(present):
        covers = box(k, names[k])
        away = np.maximum(np.maximum(covers[:2] - points[k], points[k] - covers[2:]), 0)
        assert np.hypot(*away) < RADIUS + FONT
        assert not overlap(covers, dot(points[k].astype(float)))


@pytest.mark.parametrize("x", [0, 20, 47, 75, WIDTH - 1])
@pytest.mark.parametrize("y", [0, 48, HEIGHT - 1])
def test_a_lonely_name_stays_inside_the_image(x, y):
    k = KAGGLE_15.index("mouth_center_bottom_lip")  # the longest
    points = np.full((len(KAGGLE_15), 2), np.nan)
    points[k] = x, y
    left, top, right, bottom = box(k, name_places(points, KAGGLE_15, RADIUS)[k])
    assert left >= -0.5
    assert right <= WIDTH - 0.5
    assert top >= -0.5 - 0.1 * FONT
    assert bottom <= HEIGHT - 0.5 + 0.1 * FONT
