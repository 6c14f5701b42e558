"""What was corrected between two states of labels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from labels_helper import faces

from fkd.evaluation.corrections import (
    ENOUGH,
    WORDS,
    Correction,
    association,
    corrections,
    counts,
)
from fkd.evaluation.gain import gain
from fkd.labels.states import Labels, Origin, State

FULL = 1
"""Position of an image that has all points; of the first, most are missing."""


def changed(*changes: tuple[int, int, State, tuple[float, float] | None, Origin]) -> Labels:
    labels = Labels.original(faces())
    labels = replace(labels, points=labels.points.copy(), states=labels.states.copy())
    for i, k, state, place, origin in changes:
        labels.points[i, k] = np.nan if place is None else place
        labels.states[i, k], labels.origins[i, k] = state, origin
    return labels


def test_each_kind():
    before = Labels.original(faces())
    x, y = before.points[FULL, 3].tolist()
    lacking = int(np.flatnonzero(before.states[0] == State.MISSING)[0])
    seen, edited = State.VISIBLE, Origin.EDITED
    after = changed(
        (FULL, 0, seen, (x + 40, y), edited),
        (FULL, 3, seen, (x + 1, y), edited),
        (FULL, 4, seen, (x, y), Origin.PREDICTION),
        (FULL, 5, State.ABSENT, None, Origin.REMOVED),
        (FULL, 6, State.OCCLUDED, tuple(before.points[FULL, 6].tolist()), edited),
        (0, lacking, seen, (x, y), edited),
        (0, lacking + 1, State.ABSENT, None, edited),
    )
    found = corrections(before, after)
    assert {k: Correction(found[FULL, k]) for k in (0, 3, 4, 5, 6)} == {
        0: Correction.FAR,
        3: Correction.SLIGHT,
        4: Correction.ACCEPTED,
        5: Correction.REMOVED,
        6: Correction.NONE,  # it lies where it lay
    }
    assert Correction(found[0, lacking]) == Correction.ADDED
    assert Correction(found[0, lacking + 1]) == Correction.NONE
    assert (found != Correction.NONE).sum() == 5
    assert counts(found).sum() == 5
    assert counts(found)[0].tolist() == [1, 0, 0, 0, 0]
    assert len(WORDS) == len(Correction) - 1


def test_labels_of_other_images_are_refused():
    before = Labels.original(faces())
    with pytest.raises(ValueError, match="not of the same images"):
        corrections(before, before.take(np.array([0, 1])))


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_there_and_back_are_the_same_places(seed):
    rng = np.random.default_rng(seed)
    places = [(i, k) for i in range(6) for k in range(15)]
    changes = [
        (*places[p], State.VISIBLE, tuple(rng.uniform(10, 80, 2).tolist()), Origin.EDITED)
        if rng.random() < 0.6
        else (*places[p], State.MISSING, None, Origin.REMOVED)
        for p in rng.permutation(len(places))[:20]
    ]
    before, after = Labels.original(faces()), changed(*changes)
    there, back = corrections(before, after), corrections(after, before)
    np.testing.assert_array_equal(there != 0, back != 0)
    np.testing.assert_array_equal(there == Correction.ADDED, back == Correction.REMOVED)
    np.testing.assert_array_equal(there == Correction.FAR, back == Correction.FAR)
    assert not corrections(before, before).any()
    assert counts(there).sum() == (there != 0).sum()


def test_what_goes_together():
    truth = np.asarray(faces().keypoints)[[1, 2, 4, 5]]
    before, after = np.array(truth, float), np.array(truth, float)
    before[..., 0] += 10
    after[..., 0] += np.linspace(9, 1, 15)  # the later the keypoint, the more it gained
    gained = gain(before, after, truth, faces().schema)
    with_gain = association(gained, np.arange(15))
    assert with_gain.rank == pytest.approx(1)
    assert with_gain.significant
    assert association(gained, np.arange(15)[::-1]).rank == pytest.approx(-1)
    assert np.isnan(association(gained, np.full(15, 7)).rank)
    assert not association(gained, np.full(15, 7)).significant
    shuffled = np.random.default_rng(0).permutation(15)
    assert not association(gained, shuffled).significant


def test_few_corrections_are_not_compared():
    truth = np.asarray(faces().keypoints)[[1, 2, 4, 5]]
    gained = gain(truth + 3, truth + np.linspace(0, 1, 15)[:, None], truth, faces().schema)
    few = np.zeros(15, int)
    few[10] = ENOUGH - 1
    assert association(gained, few) is None
    few[3] = 1
    assert association(gained, few) is not None
