from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import dblquad
from scipy.stats import multivariate_t

from fkd.labels.odds import SHIFT_PX, SLIP_PX, Parts, log_density
from fkd.statistics.em import StudentT
from fkd.statistics.missing import present

K = 4


def model(seed: int = 0, dof: float = 5.0) -> StudentT:
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(2 * K, 2 * K))
    scale = root @ root.T / K + 0.5 * np.eye(2 * K)
    return StudentT(rng.normal(size=2 * K), scale, dof)


def away(rows: int = 3, seed: int = 1, lacking: int = 0) -> np.ndarray:
    found = np.random.default_rng(seed).normal(0, 2, (rows, K, 2))
    found[:, :lacking] = np.nan
    return found


def parts(t: StudentT, d: np.ndarray, unit: np.ndarray | None = None) -> Parts:
    return Parts.of(t, d, present(d)[0], np.ones(d.shape[:2]) if unit is None else unit)


def test_the_density_is_that_of_a_multivariate_t():
    t, d = model(), away()
    by_scipy = multivariate_t(t.mean, t.scale, t.dof).logpdf(d.reshape(3, -1))
    np.testing.assert_allclose(log_density(t, d), by_scipy)
    few = away(lacking=2)
    marginal = multivariate_t(t.mean[4:], t.scale[4:, 4:], t.dof)
    np.testing.assert_allclose(log_density(t, few), marginal.logpdf(few[:, 2:].reshape(3, -1)))
    assert (log_density(t, np.full((2, K, 2), np.nan)) == 0).all()


@pytest.mark.parametrize("lacking", [0, 1, 3])
def test_a_slip_takes_the_point_out_of_the_density(lacking):
    t, d = model(), away(lacking=lacking)
    broad = multivariate_t([0, 0], SLIP_PX**2 * np.eye(2), 2)
    p = parts(t, d)
    for column, k in enumerate(range(lacking, K)):
        without = d.copy()
        without[:, k] = np.nan
        usual = log_density(t, d) - log_density(t, without)
        np.testing.assert_allclose(
            p.slips()[:, column], broad.logpdf(p.residual[:, column]) - usual
        )


def test_units_are_those_of_the_points():
    t, d = model(), away()
    unit = np.full(d.shape[:2], 2.0)
    # Twice the unit: the same deviations are twice as far in px, and densities a quarter.
    broad = multivariate_t([0, 0], SLIP_PX**2 * np.eye(2), 2)
    p = parts(t, d)
    change = broad.logpdf(2 * p.residual) - broad.logpdf(p.residual) + np.log(4)
    np.testing.assert_allclose(parts(t, d, unit).slips(), p.slips() + change)
    np.testing.assert_allclose(parts(t, d, unit).shifts()[1], 2 * p.shifts()[1])


def test_a_shift_is_nearly_the_integral_over_all_shifts():
    t, d = model(), away(1)
    d[0] += 4.0
    broad = multivariate_t([0, 0], SHIFT_PX**2 * np.eye(2), 4)

    def integrand(y: float, x: float) -> float:
        return float(np.exp(log_density(t, d - [x, y])[0] + broad.logpdf([x, y])))

    exact = np.log(dblquad(integrand, -20, 25, -20, 25, epsabs=1e-30)[0]) - log_density(t, d)[0]
    odds, shift = parts(t, d).shifts()
    assert odds[0] == pytest.approx(exact, abs=0.4)
    best = log_density(t, d - shift[:, None])[0]
    for step in ((0.1, 0), (-0.1, 0), (0, 0.1), (0, -0.1)):
        assert log_density(t, d - shift[:, None] - step)[0] < best


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 1000), dx=st.floats(-10, 10), dy=st.floats(-10, 10), dof=st.floats(3, 50)
)
def test_a_shift_more_is_found_as_that_much_more(seed, dx, dy, dof):
    t, d, move = model(seed, dof), away(seed=seed), np.array([dx, dy])
    before, after = parts(t, d).shifts()[1], parts(t, d + move).shifts()[1]
    np.testing.assert_allclose(after, before + move, atol=1e-6)
