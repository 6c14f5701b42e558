import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statistics_helper import SCHEMA, faces, four_points

from fkd.statistics.em import StudentT, fit_t
from fkd.statistics.missing import FEW, MANY
from fkd.statistics.shape_model import (
    ShapeModel,
    _tail,
    fit_shape_models,
)
from fkd.statistics.thresholds import OUTLIER_SCORE


@pytest.fixture(scope="module")
def mixed():
    return np.concatenate([faces(150, 1), four_points(faces(250, 2))])


@pytest.fixture(scope="module")
def models(mixed):
    return fit_shape_models(mixed, SCHEMA)


def test_each_source_gets_a_model_when_it_has_enough_rows(mixed, models):
    assert set(models.by_source) == {MANY, FEW}
    assert models.by_source[FEW].rows == 250
    few_rows = fit_shape_models(mixed[140:], SCHEMA)
    assert set(few_rows.by_source) == {FEW}
    assert few_rows.of(MANY) is few_rows.pooled


def test_scores_are_calibrated(models):
    fresh = np.concatenate([faces(2000, 8), four_points(faces(2000, 9))])
    scores = models.score(fresh)
    for rows in (slice(0, 2000), slice(2000, None)):
        assert 0.05 < (scores.rows[rows] > 1).mean() < 0.2
        points = scores.points[rows]
        assert 0.05 < (points[np.isfinite(points)] > 1).mean() < 0.2


def test_missing_points_have_no_scores(mixed, models):
    scores = models.score(mixed)
    missing = np.isnan(mixed[..., 0])
    assert np.isnan(scores.points[missing]).all()
    assert np.isnan(scores.expected[missing]).all()
    assert np.isfinite(scores.points[~missing]).all()
    assert np.isfinite(scores.rows).all()
    nothing = models.score(np.full((1, len(SCHEMA), 2), np.nan, np.float32))
    assert np.isnan(nothing.rows).all()


def test_a_moved_point_stands_out_and_its_place_is_known(mixed, models):
    moved = mixed.copy()
    k = SCHEMA.index("mouth_left_corner")
    moved[7, k] += (9, -7)
    scores = models.score(moved)
    assert scores.points[7].argmax() == k
    assert scores.points[7, k] > OUTLIER_SCORE
    assert np.linalg.norm(scores.expected[7, k] - mixed[7, k]) < 4
    assert scores.rows[7] > models.score(mixed).rows[7] + 2


def test_gross_errors_do_not_saturate(mixed, models):
    far = mixed[[0, 0, 0]].copy()
    far[0, 0] += 1e2
    far[1, 0] += 1e4
    far[2, 0] += 1e8
    rows = models.score(far).rows
    assert np.isfinite(rows).all()
    assert (np.diff(rows) > 1).all()


def test_wrong_labels_do_not_bend_the_model(mixed, models):
    rng = np.random.default_rng(0)
    spoiled = mixed.copy()
    bad = rng.choice(len(mixed), 20, replace=False)
    spoiled[bad] += rng.normal(0, 15, (20, len(SCHEMA), 2)).astype(np.float32)
    robust = fit_shape_models(spoiled, SCHEMA)
    moved = np.abs(robust.pooled.t.mean - models.pooled.t.mean)
    assert moved.max() < 0.6
    scores = robust.score(spoiled).rows
    assert np.median(scores[bad]) > 2 * np.quantile(np.delete(scores, bad), 0.99)


def test_point_scores_agree_with_the_conditional_distribution(models):
    model = models.by_source[MANY]
    face = faces(1, 5)
    scores = model.score(face)
    x, t, k = face.astype(float).ravel(), model.t, 4
    i = np.array([2 * k, 2 * k + 1])
    rest = np.setdiff1d(np.arange(len(x)), i)
    gain = t.scale[np.ix_(i, rest)] @ np.linalg.inv(t.scale[np.ix_(rest, rest)])
    away = x[rest] - t.mean[rest]
    mean = t.mean[i] + gain @ away
    dof = t.dof + len(rest)
    distance = away @ np.linalg.solve(t.scale[np.ix_(rest, rest)], away)
    scale = t.scale[np.ix_(i, i)] - gain @ t.scale[np.ix_(rest, i)]
    scale *= (t.dof + distance) / dof
    ratio = (x[i] - mean) @ np.linalg.solve(scale, x[i] - mean) / 2
    np.testing.assert_allclose(scores.expected[0, k], mean, atol=1e-3)
    assert scores.points[0, k] == pytest.approx(-np.log10(stats.f.sf(ratio, 2, dof)), rel=1e-3)


def test_tail_joins_its_series_smoothly():
    dof, size = 8.0, 30
    distance = np.array([0.0, 10.0, 1e3, 1e6])
    np.testing.assert_allclose(
        _tail(distance, size, dof), -np.log10(stats.f.sf(distance / size, size, dof)), rtol=1e-9
    )
    # There the tail falls as distance ** (-dof / 2).
    far = _tail(np.array([1e60, 1e70]), size, dof)
    assert far[1] - far[0] == pytest.approx(10 * dof / 2)


@pytest.mark.parametrize("rows", [0, 1, 5])
def test_tiny_datasets(rows):
    keypoints = faces(rows, 4)
    keypoints[:, 3] = np.nan
    models = fit_shape_models(keypoints, SCHEMA)
    scores = models.score(keypoints)
    assert np.isfinite(scores.rows).all()
    assert (scores.rows < OUTLIER_SCORE).all()
    assert np.isfinite(models.score(faces(3)).points).all()


def test_equal_faces():
    scores = fit_shape_models(np.repeat(faces(1), 50, axis=0), SCHEMA).score(faces(1))
    assert scores.rows[0] < 0.1


def test_fit_finds_the_parameters_of_complete_data():
    rng = np.random.default_rng(3)
    scale = np.array([[4.0, 1.5], [1.5, 1.0]])
    normal = rng.multivariate_normal([0, 0], scale, 6000)
    data = [5, -2] + normal / np.sqrt(rng.chisquare(5, (6000, 1)) / 5)
    fitted = fit_t(data, StudentT(np.zeros(2), np.eye(2), 10.0), 1.0)
    np.testing.assert_allclose(fitted.mean, [5, -2], atol=0.1)
    np.testing.assert_allclose(fitted.scale, scale, rtol=0.12)
    assert 4 < fitted.dof < 6.5


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_scores_do_not_depend_on_the_order_of_rows(models, mixed, seed):
    order = np.random.default_rng(seed).permutation(len(mixed))
    straight, shuffled = models.score(mixed), models.score(mixed[order])
    np.testing.assert_allclose(shuffled.rows, straight.rows[order], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(shuffled.points, straight.points[order], rtol=1e-4, atol=1e-5)


def test_the_fit_does_not_depend_on_the_order_of_rows(mixed, models):
    other = fit_shape_models(mixed[::-1], SCHEMA)
    np.testing.assert_allclose(other.pooled.t.mean, models.pooled.t.mean, atol=1e-3)
    np.testing.assert_allclose(other.score(mixed).rows, models.score(mixed).rows, atol=0.01)


def test_half_a_point_never_influences_scores(mixed, models):
    hidden = mixed.copy()
    hidden[3, 5, 0] = np.nan
    values = hidden.copy()
    values[3, 5, 1] = 1e6
    np.testing.assert_array_equal(models.score(hidden).rows, models.score(values).rows)


@settings(max_examples=5, deadline=None)
@given(st.floats(-20, 20), st.floats(-20, 20))
def test_moving_all_faces_leaves_the_scores(dx, dy):
    keypoints = faces(120, 6)
    moved = keypoints + np.array([dx, dy], np.float32)
    scores = [fit_shape_models(points, SCHEMA).score(points) for points in (keypoints, moved)]
    np.testing.assert_allclose(scores[0].rows, scores[1].rows, atol=0.01)


def test_random_patterns_are_scored_as_single_rows(models):
    keypoints = faces(40, 7)
    keypoints[np.random.default_rng(0).random(keypoints.shape[:2]) < 0.4] = np.nan
    together = models.pooled.score(keypoints)
    alone = [models.pooled.score(keypoints[i : i + 1]).rows[0] for i in range(40)]
    np.testing.assert_allclose(together.rows, alone, rtol=1e-4)


def test_log_density_differs_as_the_density(models):
    model: ShapeModel = models.pooled
    pair = faces(2, 11)
    t = stats.multivariate_t(model.t.mean, model.t.scale, model.t.dof)
    exact = t.logpdf(pair.reshape(2, -1).astype(float)) / np.log(10)
    assert np.diff(model.log_density(pair)) == pytest.approx(np.diff(exact), rel=1e-5)
