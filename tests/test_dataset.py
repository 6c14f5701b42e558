from __future__ import annotations

import numpy as np
import pytest
from kaggle_helper import random_images, random_keypoints

from fkd.dataset import Dataset
from fkd.keypoints import KAGGLE_15


def arrays(rows: int = 4, test_rows: int = 2) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {
        "images": random_images(rng, rows),
        "keypoints": random_keypoints(rng, rows),
        "rows": np.arange(rows),
        "test_images": random_images(rng, test_rows),
        "test_image_ids": np.arange(1, test_rows + 1),
    }


def test_its_length_is_that_of_the_training_part() -> None:
    assert len(Dataset("a", KAGGLE_15, **arrays(4, 2))) == 4
    assert len(Dataset("a", KAGGLE_15, **arrays(0, 0))) == 0


def test_rows_and_image_ids_are_found_where_they_are() -> None:
    about = arrays(4, 3)
    about["rows"] = np.array([0, 2, 3, 9])
    about["test_image_ids"] = np.array([30, 10, 20])
    dataset = Dataset("a", KAGGLE_15, **about)
    assert [dataset.position(row) for row in (0, 1, 2, 3, 9, 10, -1)] == [
        0,
        None,
        1,
        2,
        3,
        None,
        None,
    ]
    assert [dataset.test_position(i) for i in (30, 10, 20, 0)] == [0, 1, 2, None]


@pytest.mark.parametrize(
    ("key", "value", "what"),
    [
        ("images", np.zeros((4, 96, 95), np.uint8), "images"),
        ("images", np.zeros((4, 96, 96), np.int16), "images"),
        ("keypoints", np.zeros((4, 14, 2), np.float32), "keypoints"),
        ("keypoints", np.zeros((3, 15, 2), np.float32), "keypoints"),
        ("keypoints", np.zeros((4, 15, 2), np.float64), "keypoints"),
        ("rows", np.arange(5), "rows"),
        ("rows", np.arange(4, dtype=np.int32), "rows"),
        ("test_images", np.zeros((2, 96, 96), np.float32), "test images"),
        ("test_image_ids", np.arange(3), "test image ids"),
        ("test_image_ids", np.arange(2.0), "test image ids"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(key: str, value: np.ndarray, what: str) -> None:
    with pytest.raises(ValueError, match=f"^{what}: expected"):
        Dataset("a", KAGGLE_15, **{**arrays(), key: value})


def test_rows_that_do_not_ascend_are_refused() -> None:
    with pytest.raises(ValueError, match="rows"):
        Dataset("a", KAGGLE_15, **{**arrays(), "rows": np.array([0, 2, 1, 3])})
