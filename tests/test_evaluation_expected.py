from __future__ import annotations

import numpy as np
import pytest

from fkd.evaluation.expected import calibration

pytestmark = pytest.mark.filterwarnings("error")


def test_hand_computed():
    expected = np.array([[1.0, 2.0], [3.0, 4.0], [9.0, np.nan]])
    actual = np.array([[2.0, 2.0], [5.0, 7.0], [np.nan, 1.0]])
    found = calibration(expected, actual, bins=2)
    assert (found.n, found.ratio) == (4, pytest.approx(1.6))
    low, high = found.bins
    assert (low.n, low.low, low.high, low.expected, low.actual) == (2, 1, 2, 1.5, 2)
    assert (high.n, high.low, high.high, high.expected, high.actual) == (2, 3, 4, 3.5, 6)
    # Ranks 1, 2, 3, 4 against 1.5, 1.5, 3, 4.
    assert found.rank_correlation == pytest.approx(0.9487, abs=1e-4)


def test_order_is_what_counts_for_the_correlation():
    x = np.random.default_rng(0).uniform(1, 5, 200)
    assert calibration(x, x**3).rank_correlation == pytest.approx(1)
    assert calibration(x, -x).rank_correlation == pytest.approx(-1)
    assert calibration(x, x).ratio == 1


def test_bins_share_the_points_out():
    x = np.random.default_rng(1).uniform(1, 5, 103).astype(np.float32)
    found = calibration(x, x)
    assert sum(b.n for b in found.bins) == found.n == 103
    assert {b.n for b in found.bins} == {10, 11}
    assert [b.expected for b in found.bins] == sorted(b.expected for b in found.bins)


@pytest.mark.parametrize("values", [[], [np.nan], [2.0], [2.0, 2.0]])
def test_too_little_to_tell(values):
    found = calibration(np.array(values), np.array(values))
    assert np.isnan(found.rank_correlation)
    assert len(found.bins) == found.n == np.isfinite(values).sum()
