"""The states of keypoints and the labels of a whole dataset."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from labels_helper import ROWS, faces

from fkd.errors import UserError
from fkd.labels.states import Labels, Origin, State, word_state


def test_the_numbers_that_stand_in_databases_stay():
    assert {state.name: int(state) for state in State} == {
        "MISSING": 0,
        "ABSENT": 1,
        "OCCLUDED": 2,
        "VISIBLE": 3,
    }
    assert {origin.name: int(origin) for origin in Origin} == {
        "ORIGINAL": 0,
        "PREDICTION": 1,
        "EDITED": 2,
        "REMOVED": 3,
        "IMPORTED": 4,
    }


@pytest.mark.parametrize("state", State)
def test_every_state_has_a_word_that_leads_back(state):
    assert word_state(state.word) is state
    assert state.placed == (state in {State.VISIBLE, State.OCCLUDED})


def test_an_unknown_word_is_refused_with_the_known_ones():
    with pytest.raises(UserError, match="'hidden'; there are: missing, absent, occluded, visible"):
        word_state("hidden")


def test_originals_are_visible_where_they_have_a_position_and_missing_elsewhere():
    dataset = faces()
    dataset.keypoints[1, 2] = (np.nan, 40)  # half a position is none
    labels = Labels.original(dataset)
    here = np.isfinite(dataset.keypoints).all(axis=2)
    np.testing.assert_array_equal(labels.states == State.VISIBLE, here)
    np.testing.assert_array_equal(labels.states == State.MISSING, ~here)
    np.testing.assert_array_equal(labels.points[here], dataset.keypoints[here])
    assert np.isnan(labels.points[~here]).all()
    assert not labels.origins.any()
    assert labels.version == 0
    labels.points[:] = 0  # a copy: the dataset's own stay
    assert dataset.keypoints.any()


def test_a_part_keeps_what_belongs_together():
    labels = Labels.original(faces())
    part = labels.take(np.array([1, 4]))
    assert len(part) == 2
    assert part.rows.tolist() == [ROWS[1], ROWS[4]]
    np.testing.assert_array_equal(part.points, labels.points[[1, 4]])
    np.testing.assert_array_equal(labels.take(labels.rows > 9).rows, ROWS[3:])


@pytest.mark.parametrize("state", State)
def test_position_and_state_go_together(state):
    labels = Labels.original(faces())
    states = labels.states.copy()
    at = np.argwhere(states == (State.MISSING if state.placed else State.VISIBLE))[0]
    states[tuple(at)] = state
    with pytest.raises(ValueError, match="needs a position"):
        replace(labels, states=states)


def test_arrays_that_do_not_fit_are_refused():
    labels = Labels.original(faces())
    with pytest.raises(ValueError, match="states"):
        replace(labels, states=labels.states[:, 1:])
    with pytest.raises(ValueError, match="origins"):
        replace(labels, origins=labels.origins.astype(np.int64))
