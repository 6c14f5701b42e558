"""Squares on photos: the maps both ways, and the pictures cut from them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fkd.inference.frame import Frame, between
from fkd.keypoints import KAGGLE_15

SCHEMA = KAGGLE_15
SIZE = SCHEMA.width
frames = st.builds(
    Frame,
    st.floats(-50, 2000),
    st.floats(-50, 2000),
    st.floats(20, 3000),
    st.floats(-180, 180),
)


def spread(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0, SIZE - 1, (4, 2))


@given(frames, st.integers(0, 1000))
def test_there_and_back(frame, seed):
    points = spread(seed)
    there = frame.to_photo(points, SCHEMA)
    assert frame.from_photo(there, SCHEMA) == pytest.approx(points, abs=1e-6)


@given(frames, st.integers(0, 1000))
def test_the_square_between_matching_points_is_found_again(frame, seed):
    points = spread(seed)
    found = between(frame.to_photo(points, SCHEMA), points, SCHEMA)
    assert found.to_photo(points, SCHEMA) == pytest.approx(frame.to_photo(points, SCHEMA), abs=1e-3)
    assert found.size == pytest.approx(frame.size, rel=1e-6)


def test_the_whole_picture_is_itself():
    picture = np.random.default_rng(0).integers(0, 256, (SIZE, SIZE), np.uint8)
    whole = Frame((SIZE - 1) / 2, (SIZE - 1) / 2, SIZE)
    assert np.array_equal(whole.cut(picture, SCHEMA), picture)
    assert whole.corners()[[0, 2]] == pytest.approx(np.array([[-0.5, -0.5], [95.5, 95.5]]))


@given(st.floats(60, 900), st.floats(-45, 45), st.integers(0, 10_000))
@settings(max_examples=60, deadline=None)
def test_a_dot_is_cut_where_its_point_is(size, angle, seed):
    generator = np.random.default_rng(seed)
    photo = np.zeros((1000, 1200), np.float32)
    x, y = generator.uniform(400, 600, 2)
    rows, columns = np.mgrid[:1000, :1200]
    width = max(1.5, 1.5 * size / SIZE)
    photo = 255 * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * width**2))
    frame = Frame(*(np.array([x, y]) + generator.uniform(-0.2, 0.2, 2) * size), size, angle)
    cut = frame.cut(photo.round().astype(np.uint8), SCHEMA).astype(float)
    cut[cut < 8] = 0
    rows, columns = np.mgrid[:SIZE, :SIZE]
    centre = np.array([(cut * grid).sum() / cut.sum() for grid in (columns, rows)])
    assert centre == pytest.approx(frame.from_photo(np.array([x, y]), SCHEMA), abs=0.12)


def test_shrinking_averages_instead_of_picking():
    """Stripes of one pixel become grey, not stripes of another width."""
    stripes = np.tile(np.array([0, 255], np.uint8), (960, 480))
    cut = Frame(480, 480, 900, 10).cut(stripes, SCHEMA)
    assert cut.std() < 12
    assert cut.mean() == pytest.approx(127.5, abs=3)


def test_beyond_the_photo_its_border_goes_on():
    photo = np.full((50, 50), 200, np.uint8)
    assert (Frame(0, 0, 300, 30).cut(photo, SCHEMA) == 200).all()
    assert (Frame(-500, -500, 40).cut(photo, SCHEMA) == 200).all()
    assert cv2.countNonZero(Frame(25, 25, 48).cut(photo, SCHEMA)) == SIZE * SIZE


@pytest.mark.parametrize("bad", [(0, 0, 0), (0, 0, -3), (float("nan"), 0, 5), (0, 0, 5, np.inf)])
def test_no_square_is_refused(bad):
    with pytest.raises(ValueError, match="no square"):
        Frame(*bad)
