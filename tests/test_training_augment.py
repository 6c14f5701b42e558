"""Varied images and their points go together."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fkd.keypoints import KAGGLE_15
from fkd.training.augment import augment, move_targets, random_affine, warp
from fkd.training.config import Augmentation

SCHEMA = KAGGLE_15
SIZE = SCHEMA.width
seeds = st.integers(0, 2**32 - 1)


def targets(points: np.ndarray) -> np.ndarray:
    return np.concatenate([points, np.ones((*points.shape[:2], 1))], axis=-1).astype(np.float32)


def spread(seed: int, count: int = 3) -> np.ndarray:
    points = np.random.default_rng(seed).uniform(20, 75, (count, len(SCHEMA), 2))
    return targets(points)


@given(seeds)
@settings(max_examples=40, deadline=None)
def test_a_drawn_dot_moves_with_its_point(seed):
    how = Augmentation(rotation=30, scale=0.3, shift=8)
    matrices, flipped = random_affine(1, how, SCHEMA, np.random.default_rng(seed))
    x, y = np.random.default_rng(seed).integers(25, 70, 2)
    image = np.zeros((SIZE, SIZE), np.float32)
    image[y, x] = 255
    image = cv2.GaussianBlur(image, (0, 0), 1.5)
    moved = warp(image, matrices[0])
    place = targets(np.full((1, len(SCHEMA), 2), (x, y), float))
    expected = move_targets(place, matrices, flipped, SCHEMA)[0, 0]
    if not expected[2] or not (expected[:2] > 6).all() or not (expected[:2] < SIZE - 7).all():
        return
    rows, columns = np.mgrid[:SIZE, :SIZE]
    centre = [(moved * grid).sum() / moved.sum() for grid in (columns, rows)]
    assert centre == pytest.approx(expected[:2].tolist(), abs=0.1)


def test_flip_is_the_mirror_of_the_schema_and_of_the_picture():
    only_flip = Augmentation(**{**vars(Augmentation.off()), "flip": True})
    images = np.random.default_rng(0).integers(0, 256, (40, SIZE, SIZE), np.uint8)
    before = spread(0, 40)
    after, points = augment(images, before, only_flip, SCHEMA, np.random.default_rng(1))
    mirrored = (after == images[:, :, ::-1]).all(axis=(1, 2))
    assert 5 < mirrored.sum() < 35
    assert (after[~mirrored] == images[~mirrored]).all()
    assert np.allclose(points[mirrored, :, :2], SCHEMA.mirror(before[mirrored, :, :2]), atol=1e-4)
    assert np.array_equal(points[~mirrored], before[~mirrored])
    assert (points[..., 2] == 1).all()


@given(seeds)
@settings(max_examples=20, deadline=None)
def test_flipping_twice_gives_the_same_points(seed):
    place = spread(seed, 1)
    matrix = np.array([[[-1.0, 0, SIZE - 1], [0, 1.0, 0]]])
    once = move_targets(place, matrix, np.array([True]), SCHEMA)
    assert np.allclose(move_targets(once, matrix, np.array([True]), SCHEMA), place, atol=1e-4)


def test_points_that_leave_the_image_do_not_count_and_missing_ones_stay_missing():
    place = spread(0, 1)
    place[0, 3, 2] = 0
    shifted = np.array([[[1.0, 0, 60], [0, 1.0, 0]]])
    moved = move_targets(place, shifted, np.array([False]), SCHEMA)
    outside = place[0, :, 0] + 60 > SIZE - 0.5
    assert outside.any()
    assert not outside.all()
    assert (moved[0, outside, 2] == 0).all()
    assert moved[0, 3, 2] == 0
    assert moved[0, ~outside, 2].sum() == (~outside).sum() - (not outside[3])


def test_the_seed_decides_everything():
    images = np.random.default_rng(0).integers(0, 256, (6, SIZE, SIZE), np.uint8)
    once = augment(images, spread(0, 6), Augmentation(), SCHEMA, np.random.default_rng(5))
    again = augment(images, spread(0, 6), Augmentation(), SCHEMA, np.random.default_rng(5))
    other = augment(images, spread(0, 6), Augmentation(), SCHEMA, np.random.default_rng(6))
    assert all(np.array_equal(a, b) for a, b in zip(once, again, strict=True))
    assert not np.array_equal(once[0], other[0])


def test_nothing_changes_when_everything_is_off():
    images = np.random.default_rng(0).integers(0, 256, (4, SIZE, SIZE), np.uint8)
    place = spread(0, 4)
    varied, points = augment(images, place, Augmentation.off(), SCHEMA, np.random.default_rng(0))
    assert np.array_equal(varied, images)
    assert np.array_equal(points, place)
    assert not Augmentation.off().active
    assert Augmentation().active


@pytest.mark.parametrize("name", ["brightness", "contrast", "gamma", "noise", "cutout"])
def test_light_leaves_points_alone_and_grey_levels_in_bounds(name):
    values = {"brightness": 128, "contrast": 0.9, "gamma": 1, "noise": 50, "cutout": 1}
    how = Augmentation(
        **{**vars(Augmentation.off()), name: values[name]}  # only this one
    )
    images = np.random.default_rng(0).integers(0, 256, (8, SIZE, SIZE), np.uint8)
    place = spread(0, 8)
    varied, points = augment(images, place, how, SCHEMA, np.random.default_rng(0))
    assert np.array_equal(points, place)
    assert varied.min() >= 0
    assert varied.max() <= 255
    changed = (varied != images).mean(axis=(1, 2))
    assert (changed > 0).all()
    if name == "cutout":  # a tenth to a third of each side
        assert (changed < 0.12).all()


def test_the_affine_map_stays_within_its_bounds():
    how = Augmentation(rotation=20, scale=0.2, shift=5, shear=0)
    matrices, flipped = random_affine(2000, how, SCHEMA, np.random.default_rng(0))
    size = np.sqrt(np.abs(np.linalg.det(matrices[:, :, :2])))
    assert size.min() >= 1 / 1.2
    assert size.max() <= 1.2
    angle = np.rad2deg(np.arctan2(-matrices[:, 0, 1], matrices[:, 1, 1]))
    assert np.abs(angle).max() <= 20
    centre = np.array([(SIZE - 1) / 2, (SIZE - 1) / 2, 1])
    assert np.abs(matrices @ centre - centre[:2]).max() <= 5
    assert 0.45 < flipped.mean() < 0.55
