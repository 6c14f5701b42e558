"""Which rows labels are of, where only their images can tell."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from exchange_helper import dataset_of

from fkd.dataset import Dataset
from fkd.errors import UserError
from fkd.formats.faces import Imported
from fkd.keypoints import KAGGLE_15
from fkd.labels.import_rows import rows_in
from fkd.synthetic.parallel import render_blocks

((IMAGES, POINTS),) = list(render_blocks(5, 0, 20))


def dataset(images: np.ndarray = IMAGES, rows: list[int] | None = None) -> Dataset:
    rows = list(range(0, 2 * len(images), 2)) if rows is None else rows
    return replace(
        dataset_of([0], KAGGLE_15),
        images=np.ascontiguousarray(images),
        keypoints=np.ascontiguousarray(POINTS[np.arange(len(images)) % len(POINTS)]),
        rows=np.array(rows, np.int64),
    )


def imported(images: np.ndarray, names: list[str] | None = None) -> Imported:
    count = len(images)
    return Imported(
        KAGGLE_15,
        np.arange(count),
        POINTS[:count],
        np.full((count, len(KAGGLE_15)), 3, np.uint8),
        images,
        numbered=False,
        names=tuple(names or [f"{i:08x}-x" for i in range(count)]),
    )


@pytest.mark.parametrize("noise", [0, 4, 9])
def test_images_are_found_in_whatever_order(noise: int) -> None:
    rng = np.random.default_rng(noise)
    at = rng.permutation(20)[:7]
    images = IMAGES[at] + rng.integers(-noise, noise + 1, IMAGES[at].shape)
    found, _ = rows_in(imported(np.clip(images, 0, 255).astype(np.uint8)), dataset())
    assert found.tolist() == (2 * at).tolist()


def test_all_images_in_order_need_no_search_even_among_duplicates() -> None:
    twice = np.concatenate([IMAGES[:2], IMAGES[:2]])
    assert rows_in(imported(twice), dataset(twice))[0].tolist() == [0, 2, 4, 6]


def test_duplicates_are_told_apart_by_the_number_at_the_end_of_the_name() -> None:
    twice = dataset(np.concatenate([IMAGES[:2], IMAGES[:2]]))
    assert rows_in(imported(IMAGES[:1], ["3c6ef3c3-4"]), twice)[0].tolist() == [4]
    with pytest.raises(UserError, match=r"'face' looks like several rows of 'faces' \(0, 4\)"):
        rows_in(imported(IMAGES[:1], ["face"]), twice)
    for name in ("face-2", "77c2e0", "0_png.rf.9ab3f14", "deadbeef4", "x.4.y"):
        with pytest.raises(UserError, match="looks like several rows"):
            rows_in(imported(IMAGES[:1], [name if name[0] != "0" else "9" + name[1:]]), twice)
    for name in ("3c6ef3c3-4", "frame4", "4", "img_4", "4_png.rf.77c2e0", "face-4_jpg.rf.0a1"):
        assert rows_in(imported(IMAGES[:1], [name]), twice)[0].tolist() == [4]


def test_frames_that_are_nearly_alike_are_not_taken_in_order_where_they_fit_otherwise() -> None:
    near = np.clip(IMAGES[0].astype(int) + 3, 0, 255).astype(np.uint8)
    film = dataset(np.stack([IMAGES[0], near, IMAGES[1]]))
    other_way = replace(imported(np.stack([near, IMAGES[0], IMAGES[1]])), names=())
    assert rows_in(other_way, film)[0].tolist() == [2, 0, 4]


def test_of_frames_that_are_nearly_alike_the_very_same_one_is_taken() -> None:
    frame = np.clip(IMAGES[0].astype(int) + 1, 0, 255).astype(np.uint8)
    film = dataset(np.stack([IMAGES[0], frame]))
    assert rows_in(imported(IMAGES[:1]), film)[0].tolist() == [0]
    between = IMAGES[0].copy()
    between[::2] = frame[::2]
    with pytest.raises(UserError, match="several rows"):
        rows_in(imported(between[None]), film)


def test_an_image_that_is_not_there_is_named() -> None:
    with pytest.raises(UserError, match="'ann' is not among the images of 'faces'"):
        rows_in(imported(IMAGES[5:6], ["ann"]), dataset(IMAGES[:5]))


def test_two_files_of_one_image_are_refused() -> None:
    with pytest.raises(UserError, match=r"'a' and .* both show row 4"):
        rows_in(imported(IMAGES[[2, 2]], ["a", "b"]), dataset())


def test_an_empty_dataset_has_none_of_them() -> None:
    empty = dataset(IMAGES[:0], [])
    for numbered in (True, False):
        with pytest.raises(UserError, match="has no images; is it the right dataset"):
            rows_in(replace(imported(IMAGES[:1]), numbered=numbered), empty)
