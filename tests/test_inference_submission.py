"""Answers for the test images: complete, in the order asked for, within the image."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from inference_helper import bundled
from training_helper import put_tiny

from fkd.dataset import Lookup
from fkd.errors import UserError
from fkd.inference.submission import answers, make_submission
from fkd.keypoints import KAGGLE_15


@pytest.fixture
def dataset(tiny_drawn):
    tiny = put_tiny(tiny_drawn)
    ids = np.array([7, 3, 5])
    return replace(tiny, test_images=np.asarray(tiny.images[:3]), test_image_ids=ids, lookup=None)


def points_of(count: int) -> np.ndarray:
    """``x = 10 i + k / 10`` and ``y = x + 0.05`` for point k of image i."""
    x = 10 * np.arange(count)[:, None] + np.arange(len(KAGGLE_15)) / 10
    return np.stack([x, x + 0.05], axis=-1)


def test_every_row_asked_for_in_its_order(dataset):
    lookup = Lookup(np.array([4, 2, 9]), np.array([5, 7, 3]), np.array([3, 0, 29]))
    found = answers(replace(dataset, lookup=lookup), points_of(3))
    assert found.row_ids.tolist() == [4, 2, 9]
    assert found.locations == pytest.approx([20.15, 0.0, 11.45])


def test_without_a_lookup_every_coordinate_of_every_image(dataset):
    found = answers(dataset, points_of(3))
    assert len(found) == 3 * 2 * len(KAGGLE_15)
    assert found.row_ids.tolist() == list(range(1, len(found) + 1))
    assert found.locations == pytest.approx(points_of(3).ravel())


def test_locations_stay_within_the_image(dataset):
    points = points_of(3)
    points[0, 0] = -5, 200
    found = answers(dataset, points)
    assert found.locations[:2].tolist() == [0, KAGGLE_15.height]


def test_what_cannot_be_answered_is_said(dataset):
    lookup = Lookup(np.array([4, 8]), np.array([5, 99]), np.array([3, 0]))
    with pytest.raises(UserError, match=r"asks for image 99 \(row id 8\)"):
        answers(replace(dataset, lookup=lookup), points_of(3))
    points = points_of(3)
    points[1, 2] = np.nan
    with pytest.raises(UserError, match="no finite number for row id 35"):
        answers(dataset, points)
    none = dataset.images[:0], dataset.rows[:0]
    with pytest.raises(UserError, match="has no test images"):
        make_submission(bundled(), replace(dataset, test_images=none[0], test_image_ids=none[1]))


def knowing_four():
    names = ("left_eye_center", "right_eye_center", "nose_tip", "mouth_center_bottom_lip")
    learned = np.where(np.isin(KAGGLE_15.names, names), 20, 0)
    return replace(bundled(), reference=replace(bundled().reference, learned=learned))


def test_points_that_the_model_never_learned_are_not_answered(dataset):
    nose, lip = (KAGGLE_15.index(n) for n in ("nose_tip", "mouth_center_top_lip"))
    asked = [0, 1, 2 * nose + 1]
    lookup = Lookup(np.arange(3), np.array([5, 7, 3]), np.array(asked))
    found = make_submission(knowing_four(), replace(dataset, lookup=lookup))
    every = make_submission(bundled(), replace(dataset, lookup=lookup))
    assert found.locations == pytest.approx(every.locations, abs=0.5)
    lookup = Lookup(np.arange(4), np.array([5, 7, 3, 3]), np.array([*asked, 2 * lip]))
    seen = []
    with pytest.raises(UserError) as refused:
        make_submission(
            knowing_four(), replace(dataset, lookup=lookup), lambda *report: seen.append(report)
        )
    assert str(refused.value) == (
        "The submission asks for points that the model never learned from a label: mouth center "
        "top lip. Train on rows that label them, or take another model."
    )
    assert seen == []
    with pytest.raises(UserError, match=r"left eye inner corner, .* and mouth center top lip"):
        make_submission(knowing_four(), dataset)  # without a table, all are asked for


def test_a_table_of_which_nothing_is_left_is_not_made_up_for(dataset):
    nothing = np.zeros(0, np.int64)
    empty = replace(dataset, lookup=Lookup(nothing, nothing, nothing))
    for act in (lambda: make_submission(bundled(), empty), lambda: answers(empty, points_of(3))):
        with pytest.raises(UserError, match="The lookup table of dataset 'tiny' has no rows left"):
            act()


def test_the_model_answers(dataset):
    seen = []
    found = make_submission(bundled(), dataset, lambda *report: seen.append(report))
    points, _ = bundled().crops(np.asarray(dataset.test_images))
    assert found.locations == pytest.approx(points.ravel(), abs=1e-3)
    assert seen == [("predicting", 3, 3)]
