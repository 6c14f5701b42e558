from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statistics_helper import SCHEMA, faces, four_points

from fkd.labels.deviations import compare, compare_with_usual
from fkd.labels.hypotheses import FINE, SHIFT, SLIP, SWAP, Judged, judge
from fkd.statistics.swaps import exchange

ROWS, AT = 200, 7
PAIRS = len(SCHEMA.mirror_pairs)
TRUTH = faces(ROWS, noise=0.0).astype(np.float64)
LABELS = (TRUTH + np.random.default_rng(2).normal(0, 0.7, TRUTH.shape)).astype(np.float32)


def judged(labels: np.ndarray, predicted: np.ndarray = TRUTH) -> Judged:
    return judge(labels, compare(labels, predicted, SCHEMA))


def swapped(labels: np.ndarray, pairs: list[int]) -> np.ndarray:
    where = np.zeros((len(labels), PAIRS), bool)
    where[AT, pairs] = True
    return exchange(labels, where, SCHEMA)


def only_suspect(found: Judged) -> bool:
    return np.flatnonzero(found.score > 0).tolist() == [AT]


def test_clean_labels_are_fine():
    found = judged(LABELS)
    assert (found.score < 0).all()


@pytest.mark.parametrize("few", [False, True])
@pytest.mark.parametrize("pairs", [[0], list(range(PAIRS))])
def test_a_swap_is_found_named_and_undone(pairs, few):
    labels = four_points(LABELS) if few else LABELS
    found = judged(swapped(labels, pairs))
    assert only_suspect(found)
    assert found.kind[AT] == SWAP
    np.testing.assert_array_equal(found.fix[AT], labels[AT])
    a, b = SCHEMA.mirror_pairs[0]
    assert found.keypoints[AT, [a, b]].all()
    assert found.keypoints[AT].sum() == (2 if few else 2 * len(pairs))


@pytest.mark.parametrize("pair", range(PAIRS))
def test_every_single_pair_exchanged(pair):
    found = judged(swapped(LABELS, [pair]))
    assert only_suspect(found)
    assert np.flatnonzero(found.keypoints[AT]).tolist() == sorted(SCHEMA.mirror_pairs[pair])
    np.testing.assert_array_equal(found.fix[AT], LABELS[AT])


def test_a_swap_of_half_a_pair_names_the_other_side():
    labels = LABELS.copy()
    a, b = SCHEMA.mirror_pairs[0]
    labels[AT, a], labels[AT, b] = np.nan, LABELS[AT, a]
    found = judged(labels)
    assert (found.kind[AT], only_suspect(found)) == (SWAP, True)
    np.testing.assert_array_equal(found.fix[AT, a], LABELS[AT, a])
    assert np.isnan(found.fix[AT, b]).all()


@pytest.mark.parametrize("few", [False, True])
@settings(max_examples=15, deadline=None)
@given(size=st.floats(3.5, 8), angle=st.floats(0, 2 * np.pi))
def test_a_shift_is_found_with_its_vector(few, size, angle):
    labels = four_points(LABELS) if few else LABELS.copy()
    vector = size * np.array([np.cos(angle), np.sin(angle)])
    labels[AT] += vector
    found = judged(labels)
    assert (found.kind[AT], only_suspect(found)) == (SHIFT, True)
    # As exact as the mean of the points' own noise lets it be.
    np.testing.assert_allclose(found.shift[AT], vector, atol=1.5 if few else 0.9)
    here = np.isfinite(labels[AT, :, 0])
    np.testing.assert_array_equal(found.keypoints[AT], here)
    np.testing.assert_allclose(found.fix[AT, here], labels[AT, here] - found.shift[AT], atol=1e-4)


@settings(max_examples=25, deadline=None)
@given(k=st.integers(0, len(SCHEMA) - 1), size=st.floats(6, 60), angle=st.floats(0, 2 * np.pi))
def test_a_slipped_point_is_found_and_put_back(k, size, angle):
    labels = LABELS.copy()
    labels[AT, k] += size * np.array([np.cos(angle), np.sin(angle)])
    found = judged(labels)
    assert (found.kind[AT], only_suspect(found)) == (SLIP, True)
    assert np.flatnonzero(found.keypoints[AT]).tolist() == [k]
    np.testing.assert_allclose(found.fix[AT, k], TRUTH[AT, k], atol=1.5)
    others = np.arange(len(SCHEMA)) != k
    np.testing.assert_array_equal(found.fix[AT, others], labels[AT, others])
    assert np.isnan(found.shift[AT]).all()
    assert found.slips[AT].argmax() == k
    np.testing.assert_allclose(found.slips[AT, k], found.score[AT])


def test_several_slipped_points_are_all_named():
    labels = LABELS.copy()
    labels[AT, 2] += (9, 0)
    labels[AT, 10] += (0, -12)
    found = judged(labels)
    assert np.flatnonzero(found.keypoints[AT]).tolist() == [2, 10]
    np.testing.assert_allclose(found.fix[AT, [2, 10]], TRUTH[AT, [2, 10]], atol=1.5)
    one = LABELS.copy()
    one[AT, 10] += (0, -12)
    assert judged(one).score[AT] < found.score[AT]


def test_a_larger_mistake_scores_higher():
    scores = []
    for size in (4, 8, 16, 32):
        labels = LABELS.copy()
        labels[AT, 3, 0] += size
        scores.append(judged(labels).score[AT])
    assert scores == sorted(scores)


def test_the_usual_shape_alone_tells_swaps_and_gross_slips():
    slipped = LABELS.copy()
    slipped[AT, 11] += (12, -12)
    for labels, kind in ((swapped(LABELS, list(range(PAIRS))), SWAP), (slipped, SLIP)):
        found = judge(labels, compare_with_usual(labels, SCHEMA))
        assert only_suspect(found)
        assert found.kind[AT] == kind


def test_rows_without_labels_or_predictions_have_no_score():
    labels, predicted = LABELS.copy(), TRUTH.copy()
    labels[3] = np.nan
    predicted[4] = np.nan
    found = judged(labels, predicted)
    assert np.flatnonzero(np.isnan(found.score)).tolist() == [3, 4]
    assert found.kind[[3, 4]].tolist() == [FINE, FINE]
    assert not found.keypoints[[3, 4]].any()
    np.testing.assert_array_equal(found.fix[4], labels[4])


def test_a_single_point_can_only_slip():
    labels = np.full_like(LABELS, np.nan)
    labels[:, 10] = LABELS[:, 10]
    labels[AT, 10] += 20
    found = judged(labels)
    assert (found.kind[AT], only_suspect(found)) == (SLIP, True)


def test_the_order_of_the_images_does_not_matter():
    labels = swapped(LABELS, [0, 1])
    labels[20, 5] += 9
    order = np.random.default_rng(0).permutation(ROWS)
    straight, mixed = judged(labels), judged(labels[order], TRUTH[order])
    np.testing.assert_allclose(mixed.score, straight.score[order], rtol=1e-3, atol=1e-3)
    np.testing.assert_array_equal(mixed.keypoints, straight.keypoints[order])


def test_labels_are_not_changed():
    labels = swapped(LABELS, [0])
    before = labels.copy()
    judged(labels)
    np.testing.assert_array_equal(labels, before)
