from __future__ import annotations

import numpy as np
import pytest
from statistics_helper import faces, four_points, pictures

from fkd.dataset import Dataset
from fkd.evaluation.floor import LabelNoise, label_noise
from fkd.keypoints import KAGGLE_15
from fkd.measures import Measures, compute

pytestmark = pytest.mark.filterwarnings("error")

PAIRS = 40
SIGMA = 0.8


def dataset(images: np.ndarray, keypoints: np.ndarray) -> Dataset:
    rows = np.arange(len(images), dtype=np.int64)
    return Dataset("d", KAGGLE_15, images, keypoints, rows, images[:0], rows[:0])


def labelled_twice(seed: int = 0, pairs: int = PAIRS) -> tuple[Dataset, np.ndarray]:
    """Pairs of crops of one picture, a few px apart, image i with image i + ``pairs``; and the
    labels' errors ``(2, pairs, K, 2)`` of standard deviation ``SIGMA``."""
    rng = np.random.default_rng(seed)
    large = pictures(pairs, seed, side=104)
    shift = rng.integers(0, 5, (pairs, 2))
    first = large[:, 4:100, 4:100]
    second = [p[4 + y : 100 + y, 4 + x : 100 + x] for p, (x, y) in zip(large, shift, strict=True)]
    truth = faces(pairs, seed).astype(float)
    errors = rng.normal(0, SIGMA, (2, *truth.shape))
    keypoints = np.concatenate([truth + errors[0], truth - shift[:, None] + errors[1]])
    images = np.concatenate([first, np.stack(second)])
    return dataset(images, keypoints.astype(np.float32)), errors


@pytest.fixture(scope="module")
def twice() -> tuple[Dataset, Measures, np.ndarray]:
    data, errors = labelled_twice()
    return data, compute(data), errors


def test_the_floor_is_the_label_noise_that_was_put_in(twice):
    data, measures, errors = twice
    found = label_noise(data, measures)
    assert (found.pairs, found.groups, found.copied, found.torn) == (PAIRS, PAIRS, 0, 0)
    assert found.overall.coordinates == PAIRS * 30
    d = errors[0] - errors[1]
    assert found.overall.rms_px == pytest.approx(np.sqrt((d**2).mean()), rel=0.05)
    assert found.overall.mean_abs_px == pytest.approx(np.abs(d).mean(), rel=0.05)
    assert found.overall.floor_rmse_px == pytest.approx(SIGMA, rel=0.1)
    assert found.overall.robust_rmse_px == pytest.approx(SIGMA, rel=0.1)
    assert found.overall.floor_mae_px == pytest.approx(SIGMA * np.sqrt(2 / np.pi), rel=0.1)
    assert found.shift_free_px == pytest.approx(SIGMA * np.sqrt(2), rel=0.1)
    low, high = found.rms_interval_px
    assert low < found.overall.rms_px < high
    assert high - low < 0.3


def test_each_keypoint_has_its_own(twice):
    data, measures, _ = twice
    keypoints = data.keypoints.copy()
    nose = KAGGLE_15.index("nose_tip")
    keypoints[PAIRS:, nose, 0] += 10
    keypoints[PAIRS:, nose + 1] = np.nan
    found = label_noise(dataset(data.images, keypoints), measures)
    assert tuple(found.per_keypoint) == KAGGLE_15.names
    each = list(found.per_keypoint.values())
    assert each[nose].rms_px == pytest.approx(np.sqrt(50 + 2 * SIGMA**2), rel=0.1)
    assert each[nose].coordinates == 2 * PAIRS
    assert each[nose + 1].coordinates == 0
    assert np.isnan([each[nose + 1].rms_px, each[nose + 1].floor_rmse_px]).all()
    assert each[0].rms_px < 1.5


def test_a_shift_of_all_points_is_taken_out(twice):
    data, measures, _ = twice
    keypoints = data.keypoints.copy()
    keypoints[PAIRS:] += (3, -3)
    shifted = label_noise(dataset(data.images, keypoints), measures)
    still = label_noise(data, measures)
    assert shifted.overall.rms_px > 3
    # The second image's labels were moved after the crops were laid over each other.
    assert shifted.shift_free_px == pytest.approx(still.shift_free_px, rel=1e-4)


def test_a_few_gross_errors_leave_the_robust_floor(twice):
    data, measures, _ = twice
    keypoints = data.keypoints.copy()
    keypoints[:2] += 40
    gross, still = (
        label_noise(d, measures).overall for d in (dataset(data.images, keypoints), data)
    )
    assert gross.floor_rmse_px > 5 * still.floor_rmse_px
    assert gross.robust_rmse_px < 1.2 * still.robust_rmse_px


def test_keypoints_count_as_often_as_they_are_labelled():
    # Points that the pairs have in equal numbers, the dataset has not.
    data, _ = labelled_twice(pairs=6)
    keypoints = data.keypoints.copy()
    keypoints[6:, 0, 0] += 10
    others, few = pictures(30, seed=9), four_points(faces(30))
    whole = dataset(
        np.concatenate([data.images, others]), np.concatenate([keypoints, few]).astype(np.float32)
    )
    found = label_noise(whole, compute(whole))
    squares = np.array([k.rms_px**2 for k in found.per_keypoint.values()])
    labelled = np.isfinite(whole.keypoints[..., 0]).sum(axis=0)
    assert found.pairs == 6
    assert found.weighted_rms_px == pytest.approx(
        np.sqrt((squares * labelled).sum() / labelled.sum())
    )
    assert found.weighted_rms_px > found.overall.rms_px


def test_people(twice):
    data, measures, _ = twice
    people = np.arange(2 * PAIRS) % PAIRS // 2
    found = label_noise(data, measures, people)
    assert (found.pairs, found.groups, found.torn) == (PAIRS, PAIRS // 2, 0)
    people[0] = 1_000
    people[1] = -1
    found = label_noise(data, measures, people)
    assert (found.pairs, found.torn) == (PAIRS - 1, 1)


def test_equal_images_are_labelled_twice_unless_the_labels_are_equal_too():
    images = pictures(6)
    images[3:] = images[:3]
    keypoints = faces(6)
    keypoints[3:] = keypoints[:3]
    keypoints[3, 0, 0] += 2
    keypoints[4, 5] = np.nan
    keypoints[5] = np.nan
    data = dataset(images, keypoints)
    found = label_noise(data, compute(data))
    assert (found.pairs, found.copied, found.groups) == (1, 1, 1)
    assert found.overall.rms_px == pytest.approx(np.sqrt(4 / 30), rel=1e-5)
    assert np.isnan(found.rms_interval_px).all()


def test_without_duplicates_nothing_is_known():
    data = dataset(pictures(3), faces(3))
    found: LabelNoise = label_noise(data, compute(data))
    assert (found.pairs, found.groups, found.overall.coordinates) == (0, 0, 0)
    assert np.isnan(
        [found.overall.floor_rmse_px, found.overall.robust_rmse_px, found.shift_free_px]
    ).all()
    assert np.isnan([found.weighted_rms_px, *found.rms_interval_px]).all()


def test_pairs_with_test_images_have_no_labels(twice):
    data, _, _ = twice
    ids = np.arange(PAIRS, dtype=np.int64)
    mixed = Dataset(
        "d",
        KAGGLE_15,
        data.images[:PAIRS],
        data.keypoints[:PAIRS],
        ids,
        data.images[PAIRS:],
        ids,
    )
    measures = compute(mixed)
    assert len(measures.pair_a) == PAIRS
    assert label_noise(mixed, measures).pairs == 0
