"""Which points of a demo row are labelled."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fkd.keypoints import KAGGLE_15
from fkd.synthetic import kaggle_missingness

ROWS = 2000
COUNT = len(KAGGLE_15)
FEW = {"left_eye_center", "right_eye_center", "nose_tip", "mouth_center_bottom_lip"}


@pytest.fixture(scope="module")
def full():
    return np.random.default_rng(0).uniform(0, 90, (ROWS, COUNT, 2)).astype(np.float32)


@pytest.fixture(scope="module")
def labelled(full):
    return ~np.isnan(kaggle_missingness(full, seed=5)).any(axis=2)


def test_what_remains_is_unchanged_and_the_input_too(full):
    before = full.copy()
    labels = kaggle_missingness(full, seed=5)
    np.testing.assert_array_equal(full, before)
    there = ~np.isnan(labels)
    assert (there[..., 0] == there[..., 1]).all()
    np.testing.assert_array_equal(labels[there], full[there])
    assert labels.dtype == np.float32


def test_shares_follow_kaggles_file(labelled):
    number = labelled.sum(axis=1)
    assert 0.27 < np.mean(number == COUNT) < 0.37
    assert 0.005 < np.mean((number < COUNT) & (number >= COUNT - 3)) < 0.05
    assert 0.58 < np.mean(number == len(FEW)) < 0.70
    assert 0.01 < np.mean(number == len(FEW) - 1) < 0.06
    allowed = {len(FEW) - 1, len(FEW), *range(COUNT - 3, COUNT + 1)}
    assert set(number) <= allowed


def test_sparse_rows_have_eyes_nose_and_bottom_lip(labelled):
    sparse = labelled[labelled.sum(axis=1) <= len(FEW)]
    names = {KAGGLE_15.names[i] for i in np.flatnonzero(sparse.any(axis=0))}
    assert names == FEW


def test_the_two_sources_are_interleaved(labelled):
    complete = labelled.sum(axis=1) > len(FEW)
    for block in np.array_split(complete, 10):
        assert 0.2 < block.mean() < 0.47


@given(cut=st.integers(0, 40), seed=st.integers(0, 2**32))
def test_independent_of_block_boundaries(cut, seed):
    points = np.ones((40, COUNT, 2), np.float32)
    whole = kaggle_missingness(points, seed)
    parts = [
        kaggle_missingness(points[:cut], seed),
        kaggle_missingness(points[cut:], seed, start=cut),
    ]
    np.testing.assert_array_equal(np.concatenate(parts), whole)


def test_the_seed_decides(full):
    first, second = (kaggle_missingness(full[:50], seed) for seed in (1, 2))
    assert not np.array_equal(np.isnan(first), np.isnan(second))


@pytest.mark.parametrize("shape", [(COUNT, 2), (3, COUNT - 1, 2), (3, COUNT, 3)])
def test_another_shape_is_refused(shape):
    with pytest.raises(ValueError, match="keypoints must be"):
        kaggle_missingness(np.zeros(shape, np.float32), 0)
