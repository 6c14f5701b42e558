"""Labels that lie to one side are noticed, and learned from as they are."""

from __future__ import annotations

import numpy as np
import pytest

from fkd.inference.reference import Reference
from fkd.keypoints import KAGGLE_15
from fkd.statistics.mirror import LabelOffset, label_offset
from fkd.synthetic.parallel import render_blocks
from fkd.training.augment import augment, move_targets, random_affine
from fkd.training.config import Augmentation
from fkd.training.examples import targets_of

SIDE = np.array([1.3, 0])


@pytest.fixture(scope="module")
def faces():
    images, points = zip(*render_blocks(7, 0, 220), strict=True)
    return np.concatenate(images), np.concatenate(points)


@pytest.mark.parametrize("by", [-2.0, 1.5])
def test_an_offset_is_measured(faces, by):
    images, points = faces
    found = label_offset(images, points + np.float32([by, 0]), KAGGLE_15)
    assert found.px == pytest.approx(by, abs=4 * found.error + 0.05)
    assert found.error < 0.2
    assert found.trusted == found.px


def test_exact_labels_have_none(faces):
    images, points = faces
    # Up and down is no side: a mirror does not change it.
    found = label_offset(images, points + np.float32([0, 3]), KAGGLE_15)
    assert found.trusted == 0


@pytest.mark.parametrize(
    "offset",
    [LabelOffset(1.0, 0.3, 500), LabelOffset(1.0, 0.01, 20), LabelOffset(0.1, 0.001, 500)],
)
def test_what_is_uncertain_or_small_is_left_alone(offset):
    assert offset.trusted == 0


def test_without_faces_there_is_none():
    nothing = np.zeros((0, *KAGGLE_15.image_size), np.uint8)
    assert label_offset(nothing, np.zeros((0, len(KAGGLE_15), 2)), KAGGLE_15).trusted == 0
    images = np.zeros((3, *KAGGLE_15.image_size), np.uint8)
    missing = np.full((3, len(KAGGLE_15), 2), np.nan)
    assert label_offset(images, missing, KAGGLE_15).n == 0


def test_mirrored_labels_lie_on_the_same_side():
    how = Augmentation(**{**vars(Augmentation.off()), "flip": True})
    generator = np.random.default_rng(0)
    matrices, flipped = random_affine(40, how, KAGGLE_15, generator)
    true = np.random.default_rng(1).uniform(20, 70, (40, len(KAGGLE_15), 2))
    offsets = np.full(40, 1.3, np.float32)
    moved = move_targets(targets_of(true + SIDE), matrices, flipped, KAGGLE_15, offsets)
    exact = move_targets(targets_of(true), matrices, flipped, KAGGLE_15)
    assert flipped.any()
    np.testing.assert_allclose(moved[..., :2], exact[..., :2] + SIDE, atol=1e-4)


def test_a_batch_takes_an_offset_for_each_image(faces):
    images, points = faces
    how = Augmentation(**{**vars(Augmentation.off()), "flip": True})
    offsets = np.zeros(20, np.float32)
    offsets[10:] = 2
    batch = [
        augment(images[:20], targets_of(points[:20]), how, KAGGLE_15, np.random.default_rng(3), o)[
            1
        ]
        for o in (0.0, offsets)
    ]
    apart = batch[1][..., 0] - batch[0][..., 0]
    assert np.abs(apart[:10]).max() == 0
    assert set(np.round(apart[10:], 3).ravel().tolist()) == {0.0, 4.0}


def test_what_is_seen_in_a_mirror_comes_back_to_the_labels_side(faces):
    images, points = faces
    reference = Reference.of(images[:30], points[:30], KAGGLE_15)
    shifted = Reference.from_json(
        Reference(reference.points, reference.placing, reference.light, label_offset=1.3).to_json()
    )
    exact = points[:1].astype(np.float64)
    in_mirror = KAGGLE_15.mirror(exact)
    back = shifted.back(exact + SIDE, in_mirror + SIDE, KAGGLE_15)
    np.testing.assert_allclose(back, exact + SIDE, atol=1e-6)
    # Where the model puts points exactly, as on drawn faces, they come back exactly.
    np.testing.assert_allclose(shifted.back(exact, in_mirror, KAGGLE_15), exact, atol=1e-6)


def test_it_is_measured_once_and_kept_beside_the_dataset(tmp_path, monkeypatch):
    from fkd import offset
    from fkd.demo import DemoSpec, make_demo

    monkeypatch.setenv("FKD_HOME", str(tmp_path))
    dataset, _ = make_demo("small", DemoSpec(rows=120, seed=2))
    assert offset.known_offset(dataset) is None
    found = offset.measured_offset(dataset)
    assert offset.known_offset(dataset) == found
    monkeypatch.setattr(offset, "label_offset", None)
    assert offset.measured_offset(dataset) == found
    (dataset.folder / "label_offset.json").write_text("{")
    assert offset.known_offset(dataset) is None
