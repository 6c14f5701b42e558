"""Gains on the same images: hand-made ones, intervals, and what holds of any."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statistics_helper import SCHEMA, faces, four_points

from fkd.evaluation import metrics
from fkd.evaluation.gain import BETTER, MOST_UNITS, UNCLEAR, WORSE, gain
from fkd.evaluation.scores import score_by_source

pytestmark = pytest.mark.filterwarnings("error")


def moved(truth: np.ndarray, sigma: float, seed: int) -> np.ndarray:
    filled = np.where(np.isfinite(truth), truth, 40.0)
    return filled + np.random.default_rng(seed).normal(0, sigma, truth.shape)


def truth_of(rows: int) -> np.ndarray:
    truth = faces(rows)
    truth[::3] = four_points(truth[::3])
    truth[1] = np.nan
    return truth


def test_hand_computed():
    truth = truth_of(12)
    before, after = np.nan_to_num(truth), np.nan_to_num(truth)
    before[..., 0] += 3
    after[..., 1] += 1
    after[2] = before[2] + [1, 0]  # one image got worse
    found = gain(before, after, truth, SCHEMA)
    points = 4 * 4 + 7 * 15
    assert (found.overall.images, found.overall.points) == (11, points)
    assert found.overall.before_px == pytest.approx(np.sqrt(9 / 2))
    assert found.overall.after_px == pytest.approx(
        np.sqrt(((points - 15) + 15 * 16) / (2 * points)), rel=1e-4
    )
    assert (found.better, found.worse) == (10, 1)
    assert np.isnan(found.change[1])
    assert found.change[2] == pytest.approx(1, abs=1e-4)
    assert [d.what for d in found.sources] == ["many-point rows", "few-point rows"]
    assert [d.what for d in found.keypoints] == list(SCHEMA.names)
    few = found.sources[1]
    assert few.change_px == pytest.approx(np.sqrt(1 / 2) - np.sqrt(9 / 2), rel=1e-4)
    # All few-point images gained alike, so the interval is that very number.
    assert few.low_px == pytest.approx(few.change_px, rel=1e-4)
    assert few.high_px == pytest.approx(few.change_px, rel=1e-4)
    assert few.verdict == BETTER


def test_errors_are_those_of_the_scores():
    truth = truth_of(40)
    before, after = moved(truth, 3, 0), moved(truth, 2, 1)
    found = gain(before, after, truth, SCHEMA)
    was, now = (score_by_source(points, truth, SCHEMA) for points in (before, after))
    for one in (found.overall, *found.sources):
        assert one.before_px == pytest.approx(was[one.what].rmse_px)
        assert one.after_px == pytest.approx(now[one.what].rmse_px)
        assert one.points == now[one.what].n_points
    for one, point in zip(found.keypoints, now["all rows"].per_keypoint, strict=True):
        assert (one.points, one.after_px) == (point.n, pytest.approx(point.rmse_px))


def test_noise_is_not_sold_as_gain():
    """Of two models that are equally good, about one in twenty comparisons says otherwise."""
    rng, truth, said = np.random.default_rng(0), faces(60), []
    for _ in range(60):
        pair = [truth + rng.normal(0, 2, truth.shape) for _ in (0, 1)]
        said.append(gain(*pair, truth, SCHEMA).overall.verdict)
    assert said.count(UNCLEAR) >= 52


def test_a_true_gain_is_seen_and_a_loss_as_well():
    truth = faces(60)
    near, far = moved(truth, 1, 0), moved(truth, 2, 1)
    assert gain(far, near, truth, SCHEMA).overall.verdict == BETTER
    assert gain(near, far, truth, SCHEMA).overall.verdict == WORSE


def test_images_of_one_group_are_drawn_together():
    """Twenty copies of each of 12 images are no more than 12 images."""
    truth = faces(12)
    before, after = moved(truth, 2, 2), moved(truth, 1.9, 3)
    alone = gain(before, after, truth, SCHEMA)
    many = [np.repeat(points, 20, axis=0) for points in (before, after, truth)]
    apart = gain(*many, SCHEMA)
    together = gain(*many, SCHEMA, groups=np.repeat(np.arange(12), 20))
    assert (alone.groups, apart.groups, together.groups) == (12, 240, 12)
    ends = [(g.overall.low_px, g.overall.high_px) for g in (alone, together)]
    np.testing.assert_allclose(*ends, atol=1e-9)
    assert apart.overall.high_px - apart.overall.low_px < 0.5 * np.ptp(ends[0])
    assert apart.overall.verdict == BETTER  # what the copies would make one believe
    assert together.overall.verdict == UNCLEAR


def test_an_image_without_a_group_stands_alone():
    truth = faces(9)
    pair = moved(truth, 2, 0), moved(truth, 1, 1)
    alone = gain(*pair, truth, SCHEMA, groups=np.full(9, -1))
    assert repr(alone) == repr(gain(*pair, truth, SCHEMA))
    assert gain(*pair, truth, SCHEMA, groups=np.array([3, 3, 7, 7, 7, -1, -1, -1, -1])).groups == 6


def test_of_one_group_nothing_is_drawn():
    truth = faces(9)
    found = gain(moved(truth, 2, 0), moved(truth, 1, 1), truth, SCHEMA, groups=np.zeros(9, int))
    assert np.isnan([found.overall.low_px, found.overall.high_px]).all()
    assert found.overall.verdict == UNCLEAR


def test_keypoints_are_held_to_the_level_together():
    """Of two equally good models, one comparison in twenty finds a keypoint that differs, not one
    in two."""
    rng, truth, said = np.random.default_rng(1), faces(60), []
    for _ in range(40):
        pair = [truth + rng.normal(0, 2, truth.shape) for _ in (0, 1)]
        verdicts = {one.verdict for one in gain(*pair, truth, SCHEMA).keypoints}
        said.append(verdicts != {UNCLEAR})
    assert sum(said) <= 8


def test_many_images_are_drawn_as_fewer_of_the_same_spread():
    rng = np.random.default_rng(0)
    truth = np.full((3 * MOST_UNITS, 15, 2), 50.0)
    pair = [truth + rng.normal(0, 2, truth.shape) for _ in (0, 1)]
    found = gain(*pair, truth, SCHEMA).overall
    # RMSE of n normal coordinates has a standard error of sigma / sqrt(2 n).
    expected = 2 * 1.96 * np.sqrt(2) * 2 / np.sqrt(2 * truth.size)
    assert found.high_px - found.low_px == pytest.approx(expected, rel=0.1)


@pytest.mark.parametrize("rows", [0, 3])
def test_nothing_labelled(rows):
    truth = np.full((rows, 15, 2), np.nan, np.float32)
    found = gain(np.zeros_like(truth), np.zeros_like(truth), truth, SCHEMA)
    assert (found.overall.images, found.better, found.worse) == (0, 0, 0)
    assert found.overall.verdict == UNCLEAR
    assert np.isnan([found.overall.change_px, found.overall.low_px]).all()
    assert not found.sources


def test_a_single_image_has_no_interval():
    truth = faces(1)
    found = gain(truth + 2, truth + 1, truth, SCHEMA).overall
    assert found.change_px == pytest.approx(-1, abs=1e-4)
    assert np.isnan([found.low_px, found.high_px]).all()
    assert found.verdict == UNCLEAR


def test_predictions_that_are_not_finite_are_refused():
    truth = faces(3)
    broken = truth.copy()
    broken[1, 2] = np.nan
    with pytest.raises(ValueError, match="image 1, keypoint 2"):
        gain(truth, broken, truth, SCHEMA)


@settings(max_examples=25, deadline=None)
@given(
    rows=st.integers(2, 30),
    sigmas=st.tuples(st.floats(0, 5), st.floats(0, 5)),
    missing=st.floats(0, 0.9),
    seed=st.integers(0, 1000),
)
def test_what_holds_of_any_gain(rows, sigmas, missing, seed):
    truth = faces(rows)
    truth[np.random.default_rng(seed).random((rows, 15)) < missing] = np.nan
    before, after = (moved(truth, sigma, seed + i) for i, sigma in enumerate(sigmas))
    there, back = gain(before, after, truth, SCHEMA), gain(after, before, truth, SCHEMA)
    again = gain(before, after, truth, SCHEMA)
    assert repr((there.overall, there.keypoints)) == repr((again.overall, again.keypoints))
    for one, other in zip(
        (there.overall, *there.keypoints), (back.overall, *back.keypoints), strict=True
    ):
        # There and back are opposite, interval and all.
        np.testing.assert_allclose(one.change_px, -other.change_px, atol=1e-9)
        np.testing.assert_allclose([one.low_px, one.high_px], [-other.high_px, -other.low_px])
        assert not one.low_px > one.high_px
    assert (there.better, there.worse) == (back.worse, back.better)
    assert there.better + there.worse <= there.overall.images
    total = sum(d.points for d in there.keypoints)
    assert total == there.overall.points
    # A model against itself gains nothing, and there is no doubt of that.
    same = gain(before, before, truth, SCHEMA)
    assert same.overall.change_px == 0 or not total
    assert same.overall.verdict == UNCLEAR
    assert (same.better, same.worse) == (0, 0)
    # All keypoints together are what they are apart.
    squares = [d.points * d.after_px**2 for d in there.keypoints if d.points]
    if total:
        assert np.sqrt(sum(squares) / total) == pytest.approx(there.overall.after_px)
        assert there.overall.after_px == pytest.approx(metrics.rmse(after, truth))
