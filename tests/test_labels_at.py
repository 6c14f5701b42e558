"""A dataset as its labels were at a version."""

from __future__ import annotations

import numpy as np
import pytest
from labels_helper import ROWS, all_labels, faces, put, same, store_at, visible

from fkd.errors import UserError
from fkd.labels.at import corrected, labels_at
from fkd.labels.database import database_url
from fkd.labels.history import redo, revert, undo
from fkd.labels.point import Edit, PointLabel
from fkd.labels.states import Labels, Origin, State

ROW = ROWS[1]


def test_every_version_is_there_again(label_url):
    store = store_at(label_url)
    states = [all_labels(store)]
    for number in range(1, 5):
        edits = [*put(ROW, number), Edit(ROWS[number], number, PointLabel(State.ABSENT))]
        store.save(edits, "Ann")
        states.append(all_labels(store))
    undo(store, "Ann")
    states.append(all_labels(store))
    revert(store, 2, "Ann")
    states.append(all_labels(store))
    for number, state in enumerate(states):
        labels = labels_at(store, number)
        assert labels.version == number
        assert same(labels, state)
    assert same(labels_at(store), states[-1])
    for wrong in (-1, len(states)):
        with pytest.raises(UserError, match=f"no version {wrong}; the latest is {len(states) - 1}"):
            labels_at(store, wrong)


def test_accepted_predictions_may_be_left_out(label_url):
    store = store_at(label_url)
    accepted = visible(3, origin=Origin.PREDICTION, source="compact-1")
    store.save([Edit(ROW, 0, accepted), Edit(ROW, 1, accepted), Edit(ROW, 2, accepted)], "Ann")
    store.save([Edit(ROW, 1, visible(4))], "Ann")  # moved: it is the person's now
    store.save([Edit(ROW, 3, visible(5))], "Ann")
    store.save([Edit(ROW, 3, accepted)], "Ann")
    with_them, without = labels_at(store), labels_at(store, accepted=False)
    assert with_them.points[1, :4, 0].tolist() == [3, 4, 3, 3]
    original = Labels.original(store.dataset).points[1, :, 0]
    assert without.points[1, :4, 0].tolist() == [original[0], 4, original[2], 5]
    assert not (without.origins == Origin.PREDICTION).any()
    assert np.array_equal(with_them.points[2:], without.points[2:], equal_nan=True)
    undo(store, "Ann", ROW)
    assert labels_at(store, accepted=False).points[1, 3, 0] == 5
    redo(store, "Ann", ROW)
    assert labels_at(store, accepted=False).points[1, 3, 0] == 5


def test_the_dataset_at_a_version_has_the_same_images_and_other_labels():
    dataset = faces()
    store = store_at(database_url())
    store.save([*put(ROW, 3), Edit(ROW, 1, PointLabel(State.ABSENT))], "Ann")
    store.save(put(ROW, 4), "Ann")
    assert corrected(dataset, 0) is dataset
    first, latest = corrected(dataset, 1), corrected(dataset)
    assert (first.keypoints[1, 0, 0], latest.keypoints[1, 0, 0]) == (3, 4)
    assert np.isnan(latest.keypoints[1, 1]).all()
    assert not latest.keypoints.flags.writeable
    assert latest.images is dataset.images
    assert (latest.content_hash, latest.name) == (dataset.content_hash, dataset.name)
    np.testing.assert_array_equal(
        np.delete(latest.keypoints, 1, 0), np.delete(dataset.keypoints, 1, 0)
    )
    with pytest.raises(UserError, match="no version 3"):
        corrected(dataset, 3)


def test_without_corrections_it_is_the_dataset_itself():
    dataset = faces()
    assert corrected(dataset) is dataset
