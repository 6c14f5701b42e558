import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from statistics_helper import SCHEMA, faces, four_points

from fkd.statistics.missing import (
    FEW,
    MANY,
    NONE,
    SOURCE_NAMES,
    group_by_pattern,
    label_source,
    missingness,
    present,
    source_words,
)


def test_a_point_with_one_coordinate_is_missing():
    keypoints = faces(2)
    keypoints[0, 3, 1] = np.nan
    expected = np.ones((2, len(SCHEMA)), bool)
    expected[0, 3] = False
    np.testing.assert_array_equal(present(keypoints), expected)


def test_label_source_splits_at_half_of_the_points():
    keypoints = faces(4)
    half = len(SCHEMA) // 2
    keypoints[0, half:] = np.nan
    keypoints[1, half + 1 :] = np.nan
    keypoints[2] = np.nan
    assert label_source(keypoints).tolist() == [FEW, MANY, NONE, MANY]
    assert label_source(keypoints).dtype == np.int8


def test_counts_and_patterns():
    keypoints = np.concatenate([faces(3), four_points(faces(5)), np.full((1, 15, 2), np.nan)])
    found = missingness(keypoints, SCHEMA)
    assert (found.rows, found.complete_rows) == (9, 3)
    assert found.points_per_image[[0, 4, 15]].tolist() == [1, 5, 3]
    assert found.points_per_image.sum() == 9
    assert [count for _, count in found.patterns] == [5, 3, 1]
    np.testing.assert_array_equal(found.patterns[0][0], present(keypoints)[3])
    assert found.present_counts[SCHEMA.index("nose_tip")] == 8
    assert found.source_rows == {MANY: 3, FEW: 5, NONE: 1}


def test_missing_together_is_conditional_and_phi_undefined_without_variation():
    keypoints = faces(10)
    keypoints[:4, 0] = np.nan
    keypoints[:2, 1] = np.nan
    found = missingness(keypoints, SCHEMA)
    assert found.missing_together[1, 0] == pytest.approx(0.5)
    assert found.missing_together[0, 1] == pytest.approx(1.0)
    assert np.isnan(found.missing_together[0, 2])
    indicators = np.isnan(keypoints[:, :2, 0]).T
    assert found.phi[0, 1] == pytest.approx(np.corrcoef(indicators)[0, 1])
    assert np.isnan(found.phi[0, 2])


def test_no_rows():
    found = missingness(np.empty((0, len(SCHEMA), 2), np.float32), SCHEMA)
    assert found.rows == 0
    assert found.patterns == []
    assert np.isnan(found.missing_together).all()


def test_a_wrong_number_of_points_is_refused():
    with pytest.raises(ValueError, match="needs"):
        missingness(np.zeros((2, 3, 2)), SCHEMA)


@given(arrays(bool, st.tuples(st.integers(0, 30), st.integers(1, 12))))
def test_patterns_partition_the_rows(mask):
    groups = group_by_pattern(mask)
    rows = [row for _, members in groups for row in members]
    assert sorted(rows) == list(range(len(mask)))
    for pattern, members in groups:
        assert (mask[members] == pattern).all()
    assert len({pattern.tobytes() for pattern, _ in groups}) == len(groups)
    counts = [len(members) for _, members in groups]
    assert counts == sorted(counts, reverse=True)


def test_label_sources_are_called_by_the_points_of_most_of_their_rows():
    counts = np.array([15, 15, 14, 4, 4, 4, 3, 0])
    assert list(source_words(counts, 15).values()) == [
        "15-point source",
        "4-point source",
        "no labelled point",
    ]
    assert source_words(np.array([4, 4]), 15)[SOURCE_NAMES[MANY]] == SOURCE_NAMES[MANY]
