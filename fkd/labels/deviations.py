"""How far labels lie from where they are expected, and how far they usually do.

What a label is compared with may be a model's prediction, the label of the same picture's other
copy, or nothing at all: then it is the usual place of its point. In each case

    d = (label - prediction - bias) / unit

is distributed as a multivariate t over the points of a face (``statistics.shape_model``), fitted
robustly to the very labels that are judged: a few per cent of wrong ones do not bend it. The
errors of a face's points hang together (a model that is off to the left is off with all of them),
and the t distribution knows by how much; its common scale lets a hard picture be off more than an
easy one.

The bias is the median by keypoint and label source: those who labelled may place a point otherwise
than the model learned to. The unit follows the error that the model expects, as far as the data
bear it out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from fkd.keypoints import KeypointSchema
from fkd.statistics.em import StudentT
from fkd.statistics.missing import FEW, MANY, label_source, present
from fkd.statistics.shape_model import fit_shape_models

NOISE_PX = 0.35
"""No label is placed more exactly than that, px: keeps a set of labels that equal the predictions
from making every other one look impossible."""

_MIN_LABELS = 20
_MAD_TO_STD = 1.4826
_BOUND = 4.0
_LEAST_SURE = 1.05
_LARGEST_UNIT = 3.0

Points = NDArray[np.float64]


@dataclass(frozen=True)
class Deviations:
    """Labels beside where they are expected.

    Attributes:
        schema: the keypoints.
        expected: ``(N, K, 2)`` float64, px: where each point is expected, labelled or not; NaN for
            rows about which nothing is known.
        unit: ``(N, K)`` float64: the unit of each point's deviation, px.
        source: ``(N,)`` int8, see ``label_source``.
        models: the distribution of deviations in these units, by label source.
    """

    schema: KeypointSchema
    expected: Points
    unit: NDArray[np.float64]
    source: NDArray[np.int8]
    models: dict[int, StudentT]

    def __len__(self) -> int:
        return len(self.expected)

    def of(self, points: NDArray[np.floating]) -> Points:
        """``(N, K, 2)`` deviations of ``points`` ``(N, K, 2)`` in units."""
        away: Points = (np.asarray(points, np.float64) - self.expected) / self.unit[..., None]
        return away

    def take(self, at: NDArray[np.intp]) -> Self:
        """Those of the rows ``at``."""
        return replace(self, expected=self.expected[at], unit=self.unit[at], source=self.source[at])


def compare(
    points: NDArray[np.floating],
    predicted: NDArray[np.floating],
    schema: KeypointSchema,
    errors: NDArray[np.floating] | None = None,
    scale: NDArray[np.floating] | None = None,
) -> Deviations:
    """Compare labels with predictions, and learn from all of them what is usual.

    Args:
        points: ``(N, K, 2)`` labels, px; NaN = missing.
        predicted: ``(N, K, 2)`` px; NaN rows take no part.
        errors: ``(N, K)`` the distances from the truth that the model expects, px; NaN = unknown.
        scale: ``(N,)`` how many times the error of the best model the one that was asked has: what
            is usual for one would look odd beside the others.
    """
    away = np.asarray(points, np.float64) - predicted
    source = label_source(points)
    bias = _bias(away, source)
    expected = np.asarray(predicted, np.float64) + bias
    unit = np.ones(away.shape[:2])
    if scale is not None:
        unit *= np.asarray(scale, np.float64)[:, None]
    if errors is not None:
        unit *= _unit(np.linalg.norm(away - bias, axis=2) / unit, np.asarray(errors) / unit)
    scaled = (away - bias) / unit[..., None]
    # A row of few points stays one where a prediction lacks: the patterns are the labels' own.
    fitted = fit_shape_models(_bounded(scaled), schema)
    models = {value: _no_narrower(fitted.of(value).t) for value in (FEW, MANY)}
    return Deviations(schema, expected, unit, source, models)


def compare_with_usual(points: NDArray[np.floating], schema: KeypointSchema) -> Deviations:
    """Compare labels ``(N, K, 2)`` with the usual places of their points: what is left to go by
    where there is no prediction."""
    return compare(points, np.zeros(points.shape), schema)


def _bias(away: Points, source: NDArray[np.int8]) -> Points:
    """``(N, K, 2)``: the median of ``away`` by keypoint and label source, or by keypoint alone
    where a source has too few labels; 0 without any."""
    bias = np.zeros(away.shape)
    here = present(away)
    for k in range(away.shape[1]):
        if here[:, k].any():
            bias[:, k] = np.median(away[here[:, k], k], axis=0)
        for value in (FEW, MANY):
            rows = source == value
            if (rows & here[:, k]).sum() >= _MIN_LABELS:
                bias[rows, k] = np.median(away[rows & here[:, k], k], axis=0)
    return bias


def _unit(distance: NDArray[np.float64], errors: NDArray[np.float64]) -> NDArray[np.float64]:
    """``(N, K)``: 1, and larger for points of which the model is less sure than half of the time:
    (error / the keypoint's median error) ** g. What g is, from 0 to 1, the median ``distance`` of
    the least sure points says, compared with that of the surer half."""
    unit = np.ones(errors.shape)
    known = np.isfinite(errors) & (errors > 0)
    relative = unit.copy()
    for k in np.flatnonzero(known.any(axis=0)):
        relative[known[:, k], k] = errors[known[:, k], k] / np.median(errors[known[:, k], k])
    both = known & np.isfinite(distance)
    if not both.any():
        return unit
    sure = both & (relative <= 1)
    unsure = both & (relative >= max(_LEAST_SURE, np.quantile(relative[both], 0.95)))
    if min(sure.sum(), unsure.sum()) < _MIN_LABELS or not (near := np.median(distance[sure])) > 0:
        return unit
    power = np.log(np.median(distance[unsure]) / near) / np.log(np.median(relative[unsure]))
    scaled: NDArray[np.float64] = np.clip(relative, 1, _LARGEST_UNIT) ** np.clip(power, 0, 1)
    return scaled


def _bounded(away: Points) -> Points:
    """``away`` ``(N, K, 2)`` with every coordinate within ``_BOUND`` robust standard deviations of
    0: a multivariate t alone would follow a few rows that all lie far off together."""
    spread = np.full(away.shape[1:], np.inf)
    here = present(away)
    for k in np.flatnonzero(here.any(axis=0)):
        spread[k] = _MAD_TO_STD * np.median(np.abs(away[here[:, k], k]), axis=0)
    bound = _BOUND * np.maximum(spread, NOISE_PX)
    bounded: Points = np.clip(away, -bound, bound)
    return bounded


def _no_narrower(t: StudentT) -> StudentT:
    return replace(t, scale=t.scale + NOISE_PX**2 * np.eye(len(t.mean)))
