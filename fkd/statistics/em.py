"""Multivariate t distribution of incomplete data, fitted by EM.

C. Liu and D. B. Rubin, "ML estimation of the t distribution using EM and its extensions, ECM and
ECME", Statistica Sinica 5 (1995), 19-39. Rows are handled by pattern of missing values: the
matrices of a pattern are worked out once for all rows that share it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve  # type: ignore[import-untyped]
from scipy.optimize import minimize_scalar  # type: ignore[import-untyped]
from scipy.special import gammaln  # type: ignore[import-untyped]
from threadpoolctl import threadpool_limits

from fkd.progress import Progress, silent
from fkd.statistics.missing import group_by_pattern

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

MIN_DOF, MAX_DOF = 3.0, 50.0
"""Range of the degrees of freedom: below 3 a fit has no variance to speak of, above 50 it is
Gaussian."""

_MAX_ITERATIONS = 60
_TOLERANCE = 1e-3
_ROWS_FOR_DOF = 100


@dataclass(frozen=True)
class StudentT:
    """Multivariate t: ``mean`` ``(D,)``, ``scale`` matrix ``(D, D)``, degrees of freedom ``dof``.

    The covariance is ``scale * dof / (dof - 2)``.
    """

    mean: Vector
    scale: Matrix
    dof: float


@dataclass(frozen=True)
class _Block:
    """Rows of one pattern: which coordinates they have, and these coordinates."""

    seen: NDArray[np.intp]
    unseen: NDArray[np.intp]
    values: Matrix


def fit_t(data: Matrix, prior: StudentT, strength: float, progress: Progress = silent) -> StudentT:
    """Fit ``data`` ``(N, D)``, NaN = missing, starting from ``prior`` and drawn towards it.

    The prior counts as ``strength`` rows of its own (an inverse Wishart and normal prior; the
    result is the posterior mode). Coordinates without data keep the prior's values. The degrees
    of freedom are estimated from 100 rows on and the prior's otherwise.
    """
    # The matrices are tiny: threads would cost more than they save.
    with threadpool_limits(1, "blas"):
        return _fit(data, prior, strength, progress)


def _fit(data: Matrix, prior: StudentT, strength: float, progress: Progress) -> StudentT:
    blocks = [
        _Block(np.flatnonzero(mask), np.flatnonzero(~mask), data[np.ix_(rows, mask)])
        for mask, rows in group_by_pattern(np.isfinite(data))
        if mask.any()
    ]
    count = sum(len(block.values) for block in blocks)
    model = prior
    for step in range(_MAX_ITERATIONS):
        progress("fitting face shapes", step, _MAX_ITERATIONS)
        updated = _em_step(blocks, model, prior, strength)
        if count >= _ROWS_FOR_DOF:
            updated = StudentT(updated.mean, updated.scale, _best_dof(blocks, updated))
        change = _change(model, updated)
        model = updated
        if change < _TOLERANCE:
            break
    progress("fitting face shapes", _MAX_ITERATIONS, _MAX_ITERATIONS)
    return model


def _em_step(blocks: list[_Block], model: StudentT, prior: StudentT, strength: float) -> StudentT:
    size = len(model.mean)
    weight_sum, first = strength, np.zeros(size)
    second = strength * prior.scale
    count = strength
    for block in blocks:
        seen, unseen = block.seen, block.unseen
        factor = cho_factor(model.scale[np.ix_(seen, seen)])
        away = block.values - model.mean[seen]
        solved = cho_solve(factor, away.T).T
        distance = np.einsum("nd,nd->n", away, solved)
        weight = (model.dof + len(seen)) / (model.dof + distance)
        filled = np.empty((len(away), size))
        filled[:, seen] = away
        filled[:, unseen] = solved @ model.scale[np.ix_(seen, unseen)]
        weight_sum += weight.sum()
        first += weight @ filled
        second += (filled * weight[:, None]).T @ filled
        if len(unseen):
            cross = model.scale[np.ix_(seen, unseen)]
            left = model.scale[np.ix_(unseen, unseen)] - cross.T @ cho_solve(factor, cross)
            second[np.ix_(unseen, unseen)] += len(away) * left
        count += len(away)
    # Sums are taken about the current mean: it moves by `shift`, the second moment with it.
    pull = strength * (prior.mean - model.mean)
    shift = (first + pull) / weight_sum
    second += strength * np.outer(prior.mean - model.mean, prior.mean - model.mean)
    second -= weight_sum * np.outer(shift, shift)
    scale = second / count
    return StudentT(model.mean + shift, (scale + scale.T) / 2, model.dof)


def _best_dof(blocks: list[_Block], model: StudentT) -> float:
    """The degrees of freedom of the largest likelihood, mean and scale held (the ECME step)."""
    distances, sizes = [], []
    for block in blocks:
        away = block.values - model.mean[block.seen]
        factor = cho_factor(model.scale[np.ix_(block.seen, block.seen)])
        distances.append(np.einsum("nd,dn->n", away, cho_solve(factor, away.T)))
        sizes.append(np.full(len(away), len(block.seen)))
    distance, size = np.concatenate(distances), np.concatenate(sizes)

    def cost(log_dof: float) -> float:
        dof = np.exp(log_dof)
        terms = (
            gammaln((dof + size) / 2)
            - gammaln(dof / 2)
            - size / 2 * np.log(dof)
            - (dof + size) / 2 * np.log1p(distance / dof)
        )
        return -float(terms.sum())

    found = minimize_scalar(cost, bounds=np.log((MIN_DOF, MAX_DOF)), method="bounded")
    return float(np.exp(found.x))


def _change(before: StudentT, after: StudentT) -> float:
    """Largest move of the mean in standard deviations, or relative one of a variance."""
    spread = np.sqrt(np.diag(before.scale))
    moved = np.abs(after.mean - before.mean) / spread
    grown = np.abs(after.scale - before.scale) / np.outer(spread, spread)
    return float(max(moved.max(), grown.max()))
