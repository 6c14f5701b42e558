from __future__ import annotations

import json
from dataclasses import FrozenInstanceError, fields

import numpy as np
import pytest
from statistics_helper import faces, four_points

from fkd.evaluation import metrics
from fkd.evaluation.scores import ALL_ROWS, Scores, score, score_by_source
from fkd.keypoints import KAGGLE_15

pytestmark = pytest.mark.filterwarnings("error")


def mixed() -> tuple[np.ndarray, np.ndarray]:
    """Predictions off by (1, 0) in 3 full rows and by (0, 2) in 2 rows of four points, a row of
    nothing after them."""
    truth = faces(6)
    truth[3:] = four_points(truth[3:])
    truth[5] = np.nan
    predicted = np.where(np.isnan(truth), 0, truth).astype(np.float32)
    predicted[:3, :, 0] += 1
    predicted[3:, :, 1] += 2
    return predicted, truth


def test_hand_computed():
    predicted, truth = mixed()
    found = score(predicted, truth, KAGGLE_15)
    points = 3 * 15 + 2 * 4
    assert (found.n_images, found.n_points, found.n_coordinates) == (5, points, 2 * points)
    assert found.rmse_px == pytest.approx(np.sqrt((45 * 1 + 8 * 4) / (2 * points)), rel=1e-5)
    assert found.mae_px == pytest.approx((45 * 1 + 8 * 2) / (2 * points), rel=1e-5)
    eyes = np.linalg.norm(truth[:5, 0] - truth[:5, 1], axis=1)
    each = np.array([1, 1, 1, 2, 2]) / eyes
    assert found.nme == pytest.approx(each.mean(), rel=1e-5)
    assert found.nme_images == 5
    assert found.auc_08 == pytest.approx((1 - each / 0.08).mean(), rel=1e-4)
    assert (found.fr_10, found.pck_10) == (0, 1)
    assert found.pck_05 == pytest.approx(45 / points)


def test_each_keypoint():
    predicted, truth = mixed()
    found = score(predicted, truth, KAGGLE_15)
    assert tuple(k.name for k in found.per_keypoint) == KAGGLE_15.names
    nose = found.per_keypoint[KAGGLE_15.index("nose_tip")]
    assert nose.n == 5
    assert nose.rmse_px == pytest.approx(np.sqrt((3 * 1 + 2 * 4) / 10), rel=1e-5)
    assert nose.mae_px == pytest.approx(7 / 10, rel=1e-5)
    assert nose.mean_error_px == pytest.approx(7 / 5, rel=1e-5)
    assert nose.median_error_px == pytest.approx(1, rel=1e-5)
    assert nose.pck_10 == 1
    brow = found.per_keypoint[KAGGLE_15.index("left_eyebrow_inner_end")]
    assert (brow.n, round(brow.mean_error_px, 4)) == (3, 1)
    assert sum(k.n for k in found.per_keypoint) == found.n_points


def test_the_sources_apart():
    predicted, truth = mixed()
    found = score_by_source(predicted, truth, KAGGLE_15)
    assert list(found) == [ALL_ROWS, "many-point rows", "few-point rows"]
    assert found[ALL_ROWS] == score(predicted, truth, KAGGLE_15)
    assert [s.n_images for s in found.values()] == [5, 3, 2]
    assert found["many-point rows"].mae_px == pytest.approx(0.5, rel=1e-5)
    assert found["few-point rows"].mae_px == pytest.approx(1, rel=1e-5)
    assert found["few-point rows"].per_keypoint[2].n == 0
    assert np.isnan(found["few-point rows"].per_keypoint[2].rmse_px)


@pytest.mark.parametrize("rows", [0, 3])
def test_nothing_labelled(rows):
    truth = np.full((rows, 15, 2), np.nan, np.float32)
    for found in score_by_source(np.zeros_like(truth), truth, KAGGLE_15).values():
        assert (found.n_images, found.n_points, found.n_coordinates, found.nme_images) == (0,) * 4
        assert np.isnan([found.rmse_px, found.mae_px, found.nme, found.auc_08]).all()
        assert np.isnan([found.fr_10, found.pck_05, found.pck_10]).all()
        assert {k.n for k in found.per_keypoint} == {0}
        json.dumps(found.to_json(), allow_nan=False)


def test_images_without_both_eyes_count_in_pixels_only():
    predicted, truth = mixed()
    truth[:, 0] = np.nan
    found = score(predicted, truth, KAGGLE_15)
    assert (found.n_images, found.nme_images) == (5, 0)
    assert np.isfinite(found.rmse_px)
    assert np.isnan([found.nme, found.auc_08, found.fr_10, found.pck_10]).all()


def test_as_json():
    predicted, truth = mixed()
    truth[:, 2] = np.nan
    found = score(predicted, truth, KAGGLE_15)
    plain = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert set(plain) == {field.name for field in fields(Scores)}
    assert plain["rmse_px"] == found.rmse_px
    assert plain["n_points"] == found.n_points
    assert list(plain["per_keypoint"]) == list(KAGGLE_15.names)
    assert plain["per_keypoint"]["nose_tip"]["mae_px"] == pytest.approx(0.7, rel=1e-5)
    assert plain["per_keypoint"][KAGGLE_15.names[2]] == {
        "n": 0,
        "rmse_px": None,
        "mae_px": None,
        "mean_error_px": None,
        "median_error_px": None,
        "pck_10": None,
    }


def test_scores_are_those_of_the_metrics():
    rng = np.random.default_rng(0)
    truth = faces(30)
    truth[rng.random((30, 15)) < 0.3] = np.nan
    predicted = np.nan_to_num(truth) + rng.normal(0, 3, truth.shape)
    found = score(predicted, truth, KAGGLE_15)
    nme = metrics.nme(predicted, truth, KAGGLE_15)
    assert found.rmse_px == metrics.rmse(predicted, truth)
    assert found.auc_08 == metrics.auc(nme)
    assert found.fr_10 == metrics.failure_rate(nme)
    assert 0 < found.nme_images < 30


def test_wrong_points_are_refused():
    predicted, truth = mixed()
    with pytest.raises(ValueError, match="15 points"):
        score(predicted[:, :4], truth[:, :4], KAGGLE_15)
    predicted[4, 0] = np.nan
    with pytest.raises(ValueError, match="image 4, keypoint 0"):
        score(predicted, truth, KAGGLE_15)


def test_scores_do_not_change():
    predicted, truth = mixed()
    with pytest.raises(FrozenInstanceError):
        score(predicted, truth, KAGGLE_15).nme = 0.0
