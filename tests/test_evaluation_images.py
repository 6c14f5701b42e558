from __future__ import annotations

import numpy as np
import pytest
from evaluation_helper import labelled, make_run, output_of, store_all, store_validation

from fkd.evaluation.images import Predicted, look_up
from fkd.evaluation.predictions import Predictions
from fkd.evaluation.results import UNFLAGGED, judge
from fkd.evaluation.scores import ALL_ROWS

pytestmark = pytest.mark.filterwarnings("error")

DATASET = labelled()
NOBODY = np.zeros(len(DATASET), bool)


def predictions(rows, error: float = 8.0, *, sure: bool = True) -> Predictions:
    output = output_of(DATASET, error, sure=sure)[np.isin(DATASET.rows, rows)]
    return Predictions.of_output("one", rows, output)


def test_every_image_has_its_error_in_the_order_of_the_dataset():
    model = make_run(DATASET, "one")
    found = Predicted.of(predictions(DATASET.rows), model, DATASET)
    far = 8 * np.arange(24) / 24
    np.testing.assert_allclose(found.error, far, atol=1e-4)
    np.testing.assert_allclose(found.expected, np.repeat(far[:, None], 15, axis=1), atol=1e-5)
    assert found.order[0].tolist() == list(range(24))
    assert found.order[1].tolist() == list(range(23, -1, -1))
    assert np.flatnonzero(found.held_back).tolist() == [0, 4, 8, 12, 16, 20]
    assert found.asked == 24


def test_images_that_the_model_was_not_asked_about_come_last():
    model = make_run(DATASET, "one")
    found = Predicted.of(predictions(DATASET.rows[[2, 7]], sure=False), model, DATASET)
    assert found.expected is None
    assert found.asked == 2
    assert np.flatnonzero(np.isfinite(found.error)).tolist() == [2, 7]
    assert np.isfinite(found.points).all(axis=(1, 2)).sum() == 2
    assert found.order[0][:2].tolist() == [2, 7]
    assert found.order[1][:2].tolist() == [7, 2]


def test_images_without_labels_have_no_error():
    bare = labelled()
    bare.keypoints[3] = np.nan
    found = Predicted.of(predictions(bare.rows), make_run(bare, "one"), bare)
    assert np.isnan(found.error[3])
    assert np.isfinite(found.points[3]).all()
    assert found.order[:, -1].tolist() == [3, 3]


def test_what_is_known_of_a_model_is_looked_up():
    model, output = make_run(DATASET, "one"), output_of(DATASET, 8)
    assert look_up(model, DATASET) is None
    store_validation(model, DATASET, output)
    found = look_up(model, DATASET)
    np.testing.assert_array_equal(np.isfinite(found.error), found.held_back)
    store_all(model, DATASET, output)
    assert look_up(model, DATASET).asked == 24


def test_a_result_says_it_with_and_without_flagged_rows():
    model, at = make_run(DATASET, "one"), np.arange(4, 24)
    predicted = Predicted.of(predictions(DATASET.rows[4:]), model, DATASET)
    found = judge(predicted, DATASET, at, np.arange(24) >= 22)
    assert (len(found.rows), found.flagged) == (20, 2)
    every, fine = found.scores[ALL_ROWS], found.scores[UNFLAGGED]
    assert (every.n_images, fine.n_images) == (20, 18)
    assert fine.rmse_px < every.rmse_px
    np.testing.assert_allclose(found.error, 8 * np.arange(4, 24) / 24, atol=1e-4)
    np.testing.assert_array_equal(DATASET.rows[found.at], found.rows)
    np.testing.assert_array_equal(found.points, predicted.points[4:])
    assert UNFLAGGED not in judge(predicted, DATASET, at, NOBODY).scores
    assert predicted.covers(at)
    assert not predicted.covers(np.arange(24))


def test_a_result_of_nothing():
    predicted = Predicted.of(predictions(DATASET.rows), make_run(DATASET, "one"), DATASET)
    found = judge(predicted, DATASET, np.arange(0), NOBODY)
    assert found.scores[ALL_ROWS].n_images == 0
    assert np.isnan(found.scores[ALL_ROWS].rmse_px)
