from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fkd.evaluation.metrics import (
    auc,
    ced,
    failure_rate,
    image_errors,
    inter_ocular,
    mae,
    mean,
    median,
    nme,
    pck,
    point_errors,
    rmse,
)
from fkd.keypoints import Keypoint, KeypointSchema

pytestmark = pytest.mark.filterwarnings("error")

SCHEMA = KeypointSchema(
    "three",
    (
        Keypoint("left", "eyes", "left", "#000001"),
        Keypoint("right", "eyes", "right", "#000002"),
        Keypoint("nose", "nose", "middle", "#000003"),
    ),
    mirror_pairs=((0, 1),),
    edges=(),
    image_size=(96, 96),
    eye_centers=(0, 1),
)
NAN = float("nan")

# Eyes 30 px apart; off by (3, 4), exactly right, and off by (0, -2).
TRUTH = np.array([[[60, 40], [30, 40], [45, 60]], [[60, 40], [NAN, NAN], [45, 60]]], np.float32)
PREDICTED = TRUTH + np.array([[[3, 4], [0, 0], [0, -2]], [[0, 1], [9, 9], [NAN, NAN]]], np.float32)
PREDICTED[1, 1], PREDICTED[1, 2] = (np.inf, NAN), (45, 60)


def test_hand_computed():
    # Coordinates: 3 4 0 0 0 -2 | 0 1 0 0; point errors: 5 0 2 | 1 0.
    assert rmse(PREDICTED, TRUTH) == pytest.approx(np.sqrt(30 / 10))
    assert mae(PREDICTED, TRUTH) == pytest.approx(10 / 10)
    np.testing.assert_allclose(point_errors(PREDICTED, TRUTH), [[5, 0, 2], [1, NAN, 0]])
    np.testing.assert_allclose(image_errors(PREDICTED, TRUTH), [7 / 3, 1 / 2])
    np.testing.assert_allclose(inter_ocular(TRUTH, SCHEMA), [30, NAN])
    np.testing.assert_allclose(nme(PREDICTED, TRUTH, SCHEMA), [7 / 3 / 30, NAN])


def test_what_is_predicted_for_a_missing_label_never_counts():
    other = PREDICTED.copy()
    other[1, 1] = (-1e30, 5)
    assert rmse(other, TRUTH) == rmse(PREDICTED, TRUTH)
    np.testing.assert_array_equal(point_errors(other, TRUTH), point_errors(PREDICTED, TRUTH))


def test_a_point_with_one_coordinate_is_missing():
    truth = TRUTH.copy()
    truth[0, 0, 1] = NAN
    assert np.isnan(point_errors(PREDICTED, truth)[0, 0])
    assert mae(PREDICTED, truth) == pytest.approx(3 / 8)


@pytest.mark.parametrize("bad", [NAN, np.inf, -np.inf])
@pytest.mark.parametrize("metric", [rmse, mae, point_errors, image_errors])
def test_a_prediction_that_counts_must_be_finite(metric, bad):
    predicted = np.array(PREDICTED)
    predicted[1, 2, 0] = bad
    with pytest.raises(ValueError, match="image 1, keypoint 2"):
        metric(predicted, TRUTH)


@pytest.mark.parametrize(
    ("predicted", "truth"), [((2, 3, 2), (2, 2, 2)), ((2, 3), (2, 3)), ((1, 3, 3), (1, 3, 3))]
)
def test_shapes_must_fit(predicted, truth):
    with pytest.raises(ValueError, match=r"\(N, K, 2\)"):
        rmse(np.zeros(predicted), np.zeros(truth))


def test_eyes_in_one_place_give_no_distance():
    truth = TRUTH.copy()
    truth[0, 1] = truth[0, 0]
    assert np.isnan(inter_ocular(truth, SCHEMA)).all()
    assert np.isnan(nme(truth, truth, SCHEMA)).all()


def test_a_schema_without_eye_centers_has_no_distance():
    blind = KeypointSchema("blind", SCHEMA.keypoints, (), (), (96, 96))
    assert np.isnan(inter_ocular(TRUTH, blind)).tolist() == [True, True]


def test_cumulative_errors_by_hand():
    values = np.array([0.02, 0.04, NAN, 0.10, 0.20])
    np.testing.assert_array_equal(ced(values, [0, 0.02, 0.03, 0.1, 1]), [0, 0.25, 0.25, 0.75, 1])
    assert ced(values, 0.04).shape == ()
    # Steps of a quarter from 0.02 and 0.04 on to the limit.
    assert auc(values) == pytest.approx((0.06 + 0.04) / 4 / 0.08)
    assert auc(values, 0.3) == pytest.approx((0.28 + 0.26 + 0.2 + 0.1) / 4 / 0.3)
    assert failure_rate(values) == 0.25
    assert failure_rate(values, 0.0999) == 0.5


def test_pck_by_hand():
    errors = np.array([[1.0, 2.0, NAN], [3.0, 3.1, 0.0], [0.0, 0.0, 0.0]])
    eyes = np.array([20.0, 30.0, NAN])
    assert pck(errors, eyes, 0.1) == pytest.approx(4 / 5)
    assert pck(errors, eyes, 0.05) == pytest.approx(2 / 5)


@pytest.mark.parametrize("shape", [(0, 3, 2), (2, 3, 2), (2, 0, 2)])
def test_nothing_labelled_is_nan_without_a_warning(shape):
    truth, predicted = np.full(shape, NAN), np.zeros(shape)
    empty = np.full(shape[0], NAN)
    assert np.isnan([rmse(predicted, truth), mae(predicted, truth)]).all()
    assert np.isnan(image_errors(predicted, truth)).all()
    assert np.isnan([auc(empty), failure_rate(empty), mean([]), median([NAN])]).all()
    assert np.isnan(ced(empty, [0.1, 0.2])).all()
    assert np.isnan(pck(point_errors(predicted, truth), empty, 0.1))


COORDINATES = st.floats(-50, 150, width=32)
POINTS = arrays(np.float32, (4, 3, 2), elements=COORDINATES | st.just(NAN))


@given(POINTS, arrays(np.float32, (4, 3, 2), elements=COORDINATES))
def test_bounds_between_the_metrics(truth, predicted):
    errors = point_errors(predicted, truth)
    if np.isnan(errors).all():
        assert np.isnan(rmse(predicted, truth))
        return
    assert mae(predicted, truth) <= rmse(predicted, truth) * (1 + 1e-9)
    assert rmse(predicted, truth) == pytest.approx(np.sqrt(mean(errors**2) / 2))
    images = image_errors(predicted, truth)
    assert np.nanmin(images) <= mean(errors) * (1 + 1e-9)
    assert mean(errors) <= np.nanmax(images) * (1 + 1e-9)


@given(POINTS, arrays(np.float32, (4, 3, 2), elements=COORDINATES), st.floats(0.1, 10))
def test_the_nme_does_not_depend_on_the_scale(truth, predicted, scale):
    scaled = nme(predicted.astype(float) * scale, truth.astype(float) * scale, SCHEMA)
    np.testing.assert_allclose(
        scaled, nme(predicted.astype(float), truth.astype(float), SCHEMA), rtol=1e-6
    )


@given(
    arrays(np.float64, st.integers(1, 20), elements=st.floats(0, 0.5) | st.just(NAN)),
    st.floats(0.01, 0.4),
)
def test_the_area_is_that_under_the_curve(values, limit):
    if np.isnan(values).all():
        return
    # Between two breaks the curve is flat: its value in the middle times the width is exact.
    breaks = np.unique([0, limit, *values[values < limit]])
    middles = (breaks[1:] + breaks[:-1]) / 2
    area = float((ced(values, middles) * np.diff(breaks)).sum())
    assert auc(values, limit) == pytest.approx(area / limit, abs=1e-9)
    assert failure_rate(values, limit) == pytest.approx(1 - float(ced(values, limit)))
