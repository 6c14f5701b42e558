"""Faces sent from Predict become a dataset that grows and keeps its labels."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from fkd import uploads
from fkd.demo import DemoSpec, make_demo
from fkd.errors import UserError
from fkd.keypoints import KAGGLE_15
from fkd.labels.at import corrected
from fkd.labels.point import Edit, PointLabel
from fkd.labels.states import Origin, State
from fkd.labels.store import LabelStore
from fkd.labels.suggestions import suggest, suggested
from fkd.registry import open_named
from fkd.uploads import add_faces


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("FKD_HOME", str(tmp_path))
    return tmp_path


def crop(value: int) -> np.ndarray:
    return np.full(KAGGLE_15.image_size, value, np.uint8)


def test_it_grows_and_knows_what_it_has():
    dataset, rows = add_faces([crop(1), crop(2), crop(1)], KAGGLE_15)
    assert rows == [0, 1, 0]
    dataset, rows = add_faces([crop(3), crop(2)], KAGGLE_15)
    assert rows == [2, 1]
    assert [image[0, 0] for image in dataset.images] == [1, 2, 3]
    assert np.isnan(dataset.keypoints).all()
    again, rows = add_faces([crop(3)], KAGGLE_15)
    assert (rows, again.content_hash) == ([2], dataset.content_hash)


def test_labels_outlive_further_uploads():
    dataset, _ = add_faces([crop(1)], KAGGLE_15)
    LabelStore(dataset).save([Edit(0, 0, PointLabel(State.VISIBLE, 3, 4, Origin.EDITED))], "Ann")
    dataset, _ = add_faces([crop(2)], KAGGLE_15)
    assert corrected(dataset).keypoints[0, 0].tolist() == [3, 4]


def test_another_dataset_of_that_name_is_left_alone():
    make_demo("uploads", DemoSpec(rows=3))
    before = open_named("uploads").content_hash
    with pytest.raises(UserError, match="not made of uploads"):
        add_faces([crop(1)], KAGGLE_15)
    assert open_named("uploads").content_hash == before


def test_it_has_an_end(monkeypatch):
    monkeypatch.setattr(uploads, "MAX_FACES", 2)
    add_faces([crop(1), crop(2)], KAGGLE_15)
    with pytest.raises(UserError, match="full"):
        add_faces([crop(3)], KAGGLE_15)
    assert len(open_named("uploads")) == 2


def test_two_at_once_lose_nothing():
    def send(start: int) -> None:
        for value in range(start, start + 5):
            add_faces([crop(value)], KAGGLE_15)

    threads = [threading.Thread(target=send, args=(start,)) for start in (0, 100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    values = sorted(int(image[0, 0]) for image in open_named("uploads").images)
    assert values == [*range(5), *range(100, 105)]


def test_a_crop_of_another_size_is_refused():
    with pytest.raises(ValueError, match="expected rows"):
        add_faces([np.zeros((5, 5), np.uint8)], KAGGLE_15)


def test_points_come_along_and_may_be_missing():
    dataset, _ = add_faces([crop(1)], KAGGLE_15)
    store = LabelStore(dataset)
    assert suggested(store, 0) is None
    points = np.arange(2.0 * len(KAGGLE_15)).reshape(-1, 2)
    points[4] = np.nan
    suggest(store, {0: points}, "bundled")
    found, source = suggested(store, 0)
    np.testing.assert_array_equal(found, points.astype(np.float32))
    assert source == "bundled"
    suggest(store, {0: points + 1}, "other")
    assert suggested(store, 0)[1] == "other"
    assert store.head() == 0
