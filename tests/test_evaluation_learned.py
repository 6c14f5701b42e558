"""Points that a model never learned from a label: what follows for predictions and scores."""

from __future__ import annotations

import numpy as np
import pytest
from evaluation_helper import (
    FOUR,
    OTHERS,
    labelled,
    learned_from,
    make_run,
    output_of,
    store_all,
    store_validation,
)
from statistics_helper import SCHEMA

from fkd.evaluation.expected import confidence
from fkd.evaluation.gain import gain
from fkd.evaluation.images import Predicted
from fkd.evaluation.learned import (
    counting,
    listed,
    never_learned,
    not_scored,
    taught,
    with_mirrored,
    withheld,
)
from fkd.evaluation.metrics import rmse
from fkd.evaluation.predictions import learned_labels, stored, stored_validation
from fkd.evaluation.results import judge
from fkd.evaluation.scores import ALL_ROWS, score_by_source

pytestmark = pytest.mark.filterwarnings("error")

DATASET = labelled()
OUTPUT = output_of(DATASET, 6)
LEFT, RIGHT, NOSE = (SCHEMA.index(n) for n in ("left_eye_center", "right_eye_center", "nose_tip"))


@pytest.fixture
def model():
    return make_run(DATASET, "four", learned=learned_from())


def only(*points: int) -> np.ndarray:
    return np.isin(np.arange(len(SCHEMA)), points)


def test_what_no_label_taught_is_withheld():
    assert taught(None, 15).all()
    assert np.array_equal(taught(learned_from(), 15), FOUR)
    masked = withheld(OUTPUT, FOUR)
    assert masked.dtype == OUTPUT.dtype
    assert np.array_equal(masked[:, FOUR], OUTPUT[:, FOUR])
    assert np.isnan(masked[:, ~FOUR]).all()
    assert np.isfinite(OUTPUT).all()  # the argument stays as it was
    truth = counting(DATASET.keypoints, only(NOSE))
    assert np.isfinite(truth[:, NOSE]).all()
    assert np.isfinite(truth).sum() == 2 * len(DATASET)


def test_mirrored_images_teach_the_other_side():
    labels = np.where(only(LEFT, NOSE), 5, 0)
    assert with_mirrored(labels, False, SCHEMA).tolist() == labels.tolist()
    assert (
        with_mirrored(labels, True, SCHEMA).tolist()
        == np.where(only(LEFT, RIGHT, NOSE), 5, 0).tolist()
    )
    labels[RIGHT] = 2  # what has labels of its own keeps their number
    assert with_mirrored(labels, True, SCHEMA).tolist() == labels.tolist()


def test_in_words():
    assert not_scored(np.ones(15, bool), SCHEMA) == never_learned(np.ones(15, bool), SCHEMA) == ""
    assert listed(["a"]) == "a"
    assert listed(["a", "b", "c"]) == "a, b and c"
    assert not_scored(FOUR, SCHEMA) == (
        f"Not scored: 11 points that the model never learned from a label: {listed(OTHERS)}."
    )
    assert not_scored(~only(NOSE), SCHEMA, models=2) == (
        "Not scored: 1 point that one of the models never learned from a label: nose tip."
    )
    assert never_learned(~only(NOSE), SCHEMA) == (
        "1 point is never learned, as no training row labels it: nose tip."
    )
    assert never_learned(~only(LEFT, RIGHT), SCHEMA) == (
        "2 points are never learned, as no training row labels them: left eye center and right "
        "eye center."
    )


def test_stored_predictions_leave_such_points_out(model):
    store_all(model, DATASET, OUTPUT)
    store_validation(model, DATASET, OUTPUT)
    for found in (stored(model, DATASET), stored_validation(model, DATASET)):
        output = OUTPUT[np.isin(DATASET.rows, found.rows)]
        assert np.array_equal(found.learned, learned_from())
        assert np.array_equal(found.points[:, FOUR], output[:, FOUR, :2])
        assert np.array_equal(found.expected[:, FOUR], output[:, FOUR, 2])
        assert np.isnan(found.points[:, ~FOUR]).all()
        assert np.isnan(found.expected[:, ~FOUR]).all()
        assert np.array_equal(found.of_rows(found.rows[:2]).taught, FOUR)


def test_only_points_that_were_learned_must_be_finite(model):
    output = withheld(OUTPUT, FOUR)  # as a training leaves them
    store_all(model, DATASET, output)
    store_validation(model, DATASET, output)
    assert stored(model, DATASET) is not None
    assert stored_validation(model, DATASET) is not None
    output = output.copy()
    output[0, LEFT, 0] = np.nan
    store_all(model, DATASET, output)
    store_validation(model, DATASET, output)
    assert stored(model, DATASET) is None
    assert stored_validation(model, DATASET) is None


def test_models_that_do_not_say_count_as_having_learned_all():
    model = make_run(DATASET, "old")
    assert learned_labels(model, SCHEMA) is None
    store_all(model, DATASET, OUTPUT)
    assert stored(model, DATASET).taught.all()
    assert np.isfinite(stored(model, DATASET).points).all()


def test_an_image_is_as_far_off_as_the_points_that_were_learned(model):
    output = OUTPUT.copy()
    output[:, ~FOUR] = 1000  # anywhere
    store_all(model, DATASET, output)
    found = Predicted.of(stored(model, DATASET), model, DATASET)
    np.testing.assert_allclose(found.error, 6 * np.arange(24) / 24, atol=1e-4)
    assert found.covers(np.arange(24))
    store_validation(model, DATASET, output)
    part = Predicted.of(stored_validation(model, DATASET), model, DATASET)
    assert part.covers(np.arange(0, 24, 4))
    assert not part.covers(np.arange(24))


def test_a_result_counts_points_that_all_learned(model):
    output = OUTPUT.copy()
    output[:, ~FOUR] = 1000
    store_all(model, DATASET, output)
    predicted, at = Predicted.of(stored(model, DATASET), model, DATASET), np.arange(24)
    nobody = np.zeros(24, bool)
    found = judge(predicted, DATASET, at, nobody)
    assert np.array_equal(found.counted, FOUR)
    assert np.array_equal(found.learned, learned_from())
    four = rmse(OUTPUT[..., :2], counting(DATASET.keypoints, FOUR))
    assert found.scores[ALL_ROWS].rmse_px == pytest.approx(four)
    assert np.isnan(found.errors[:, ~FOUR]).all()
    # Rows stay many-point rows though only four of their points count.
    assert [s.n_images for s in found.scores.values()] == [24, 16, 8]
    assert [p.n for p in found.scores[ALL_ROWS].per_keypoint] == np.where(FOUR, 24, 0).tolist()
    one = judge(predicted, DATASET, at, nobody, only(NOSE, 2))
    assert np.array_equal(one.counted, only(NOSE))
    assert one.scores[ALL_ROWS].n_points == 24
    np.testing.assert_allclose(one.error, one.errors[:, NOSE], rtol=1e-5)
    assert np.isnan(one.errors[:, ~only(NOSE)]).all()
    flagged = judge(predicted, DATASET, at, at < 3)
    assert flagged.scores["without flagged rows"].n_points == 4 * 21


def test_scores_and_gains_of_some_points():
    truth = DATASET.keypoints
    before, after = truth + 2, truth + 1
    after[:, ~FOUR] = np.nan
    with pytest.raises(ValueError, match="not finite"):
        score_by_source(after, truth, SCHEMA)
    found = score_by_source(after, truth, SCHEMA, FOUR)
    assert found[ALL_ROWS].rmse_px == pytest.approx(1)
    assert found[ALL_ROWS].n_points == 4 * 24
    gained = gain(before, after, truth, SCHEMA, taught=FOUR)
    assert gained.overall.points == 4 * 24
    assert gained.overall.change_px == pytest.approx(-1)
    assert [one.images for one in gained.sources] == [16, 8]
    assert [one.points for one in gained.keypoints] == np.where(FOUR, 24, 0).tolist()


def test_how_sure_a_model_is_without_eye_centres():
    points = np.array(DATASET.keypoints[1:2], np.float64)
    known = confidence(points, np.ones((1, 15)), SCHEMA)
    points[:, LEFT] = np.nan
    sure = confidence(points, np.where(only(LEFT), np.nan, 1.0)[None], SCHEMA)
    assert np.isnan(sure[0]).tolist() == only(LEFT).tolist()
    # 36 px, near what lies between the eyes of these faces.
    assert sure[0, NOSE] == pytest.approx(1 - np.exp(-3.6))
    assert sure[0, NOSE] == pytest.approx(known[0, NOSE], abs=0.02)
