import numpy as np
import pytest
from statistics_helper import SCHEMA, faces, four_points

from fkd.statistics.shape_model import fit_shape_models
from fkd.statistics.swaps import exchange, find_swaps

PAIRS = len(SCHEMA.mirror_pairs)


def planted(keypoints, rows, pairs):
    """``keypoints`` with ``pairs`` exchanged in ``rows``, and where."""
    where = np.zeros((len(keypoints), PAIRS), bool)
    where[np.ix_(rows, pairs)] = True
    return exchange(keypoints, where, SCHEMA), where


@pytest.mark.parametrize("pairs", [*([p] for p in range(PAIRS)), range(PAIRS)])
def test_exchanged_pairs_are_found_and_nothing_else(pairs):
    keypoints, where = planted(faces(200), [3, 50, 120], pairs)
    found = find_swaps(keypoints, SCHEMA, fit_shape_models(keypoints, SCHEMA))
    np.testing.assert_array_equal(found.pairs, where)
    np.testing.assert_array_equal(found.rows, where.any(axis=1))
    assert (found.gain[found.rows] > 2).all()


def test_rows_of_four_points():
    keypoints, where = planted(four_points(faces(200)), [3, 50], [0])
    found = find_swaps(keypoints, SCHEMA, fit_shape_models(keypoints, SCHEMA))
    np.testing.assert_array_equal(found.pairs, where)


def test_clean_faces_have_no_swaps():
    keypoints = faces(300)
    found = find_swaps(keypoints, SCHEMA, fit_shape_models(keypoints, SCHEMA))
    assert not found.rows.any()
    assert (found.gain == 0).all()


def test_a_turned_head_is_no_swap():
    keypoints = faces(200)
    a, b = SCHEMA.mirror_pairs[0]
    inner = SCHEMA.index("left_eye_inner_corner"), SCHEMA.index("right_eye_inner_corner")
    middle = keypoints[9, :, 0].mean()
    keypoints[9, :, 0] = middle + (keypoints[9, :, 0] - middle) * 0.15
    keypoints[9, inner[0], 0], keypoints[9, inner[1], 0] = middle - 1.5, middle + 1.5
    found = find_swaps(keypoints, SCHEMA, fit_shape_models(keypoints, SCHEMA))
    assert keypoints[9, a, 0] > keypoints[9, b, 0]
    assert not found.rows[9]


def test_one_point_far_off_is_no_swap():
    keypoints = faces(200)
    keypoints[9, SCHEMA.index("mouth_left_corner")] = 8, 25
    found = find_swaps(keypoints, SCHEMA, fit_shape_models(keypoints, SCHEMA))
    assert not found.rows.any()


def test_exchanging_twice_changes_nothing():
    keypoints = faces(5)
    where = np.random.default_rng(0).random((5, PAIRS)) < 0.5
    twice = exchange(exchange(keypoints, where, SCHEMA), where, SCHEMA)
    np.testing.assert_array_equal(twice, keypoints)
