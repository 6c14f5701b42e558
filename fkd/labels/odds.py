"""How probable the deviations of a face's labels are, as they are and after a mistake.

The deviations (``deviations``) of a face in order have a multivariate t density. What a slipped
point or a shifted face adds to them is taken to have a bivariate t density of a typical size, which
leaves room for gross mistakes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln  # type: ignore[import-untyped]

from fkd.labels.deviations import Points
from fkd.statistics.em import StudentT
from fkd.statistics.missing import group_by_pattern, present
from fkd.statistics.shape_model import conditionals

SLIP_PX, SHIFT_PX = 6.0, 4.0
"""Typical size of a slip and of a shift, px."""

_SLIP_DOF, _SHIFT_DOF = 2.0, 4.0

Values = NDArray[np.float64]


def log_density(t: StudentT, away: Points) -> Values:
    """``(N,)`` natural logarithm of the density of ``away`` ``(N, K, 2)``, missing points left out;
    0 for rows without points."""
    found = np.zeros(len(away))
    for mask, rows in group_by_pattern(present(away)):
        if mask.any():
            distance = conditionals(t, away[rows], mask)[0]
            found[rows] = _log_t(distance, 2 * int(mask.sum()), t, mask)
    return found


def _log_t(distance: Values, size: int, t: StudentT, mask: NDArray[np.bool_]) -> Values:
    seen = np.repeat(mask, 2)
    _, determinant = np.linalg.slogdet(t.scale[np.ix_(seen, seen)])
    constant = gammaln((t.dof + size) / 2) - gammaln(t.dof / 2) - size / 2 * np.log(t.dof * np.pi)
    value: Values = constant - determinant / 2 - (t.dof + size) / 2 * np.log1p(distance / t.dof)
    return value


def _log_broad(squared: Values, size: float, dof: float) -> Values:
    """Log density of a mistake in the plane: a bivariate t of typical ``size``, px."""
    value: Values = -np.log(2 * np.pi * size**2) - (dof + 2) / 2 * np.log1p(
        squared / (dof * size**2)
    )
    return value


@dataclass(frozen=True)
class Parts:
    """Deviations of n faces that all have the points of ``mask`` (p of them), taken apart.

    Attributes:
        distance: ``(n,)`` squared Mahalanobis distance of each face.
        alone: ``(n, p)`` that of each point given the others.
        residual: ``(n, p, 2)`` each point's deviation less the one that the others let expect.
        away: ``(n, p, 2)``, unit: ``(n, p)``, columns: ``(p,)`` of the points.
        precision: ``(p, 2, p, 2)`` inverse of the scale matrix.
    """

    model: StudentT
    distance: Values
    alone: Values
    residual: Values
    away: Values
    unit: Values
    columns: NDArray[np.intp]
    precision: Values

    @classmethod
    def of(cls, model: StudentT, away: Points, mask: NDArray[np.bool_], unit: Values) -> Parts:
        seen, count = np.repeat(mask, 2), int(mask.sum())
        precision = np.asarray(np.linalg.inv(model.scale[np.ix_(seen, seen)]), np.float64)
        return cls(
            model,
            *conditionals(model, away, mask),
            away=away[:, mask] - model.mean.reshape(-1, 2)[mask],
            unit=unit[:, mask],
            columns=np.flatnonzero(mask),
            precision=precision.reshape(count, 2, count, 2),
        )

    @property
    def freedom(self) -> float:
        return self.model.dof + 2 * len(self.columns)

    def slips(self) -> Values:
        """``(n, p)`` natural log odds of a slip of each point against none, both as likely."""
        count = len(self.columns)
        # A point given the others is a bivariate t of these degrees of freedom and this scale.
        freedom = self.freedom - 2
        others = self.model.dof + self.distance[:, None] - self.alone
        blocks = self.precision[np.arange(count), :, np.arange(count)]
        _, determinant = np.linalg.slogdet(blocks)
        usual = (
            determinant / 2
            - np.log(2 * np.pi * others / freedom)
            - (freedom + 2) / 2 * np.log1p(self.alone / others)
            - 2 * np.log(self.unit)
        )
        moved = np.linalg.norm(self.residual, axis=2) * self.unit
        broad = _log_broad(moved**2, SLIP_PX, _SLIP_DOF)
        odds: Values = broad - usual
        return odds

    def shifts(self) -> tuple[Values, Values]:
        """``(n,)`` natural log odds of a shift of all points against none, both as likely, and
        the best one ``(n, 2)``, px.

        The integral over all shifts is Laplace's approximation of it about the best one."""
        # d = s / unit + usual deviations: generalised least squares.
        pull = np.einsum("kalb,nlb->nka", self.precision, self.away)
        gain = np.einsum("nka,nk->na", pull, 1 / self.unit)
        curve = np.einsum("kalb,nk,nl->nab", self.precision, 1 / self.unit, 1 / self.unit)
        shift = np.linalg.solve(curve, gain[..., None])[..., 0]
        after = np.maximum(self.distance - np.einsum("na,na->n", gain, shift), 0)
        dof, power = self.model.dof, self.freedom / 2
        better = power * (np.log1p(self.distance / dof) - np.log1p(after / dof))
        _, determinant = np.linalg.slogdet(curve)
        width = np.log(2 * np.pi * (dof + after) / (self.freedom - 2)) - determinant / 2
        broad = _log_broad((shift**2).sum(axis=1), SHIFT_PX, _SHIFT_DOF)
        return better + broad + width, shift

    def scattered(self, away: Points) -> Values:
        """``(n,)`` natural log odds of all points of ``away`` ``(n, K, 2)`` having slipped, against
        none, both as likely."""
        wide = replace(self.model, scale=self.model.scale + SLIP_PX**2 * np.eye(away[0].size))
        odds: Values = log_density(wide, away) - log_density(self.model, away)
        return odds
