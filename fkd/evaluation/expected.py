"""Whether a model knows how far it is off: the errors it expects beside the actual ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fkd.evaluation.metrics import inter_ocular, mean
from fkd.keypoints import KeypointSchema

Values = NDArray[np.floating]


NEAR = 0.1
"""A point is right if it lies within this share of the inter-ocular distance of where it belongs:
what PCK@0.1 counts."""

USUAL_EYES = 0.375
"""Inter-ocular distance in crops of faces, as a share of their width: 36 of 96 px."""


def confidence(points: Values, expected: Values, schema: KeypointSchema) -> Values:
    """``(N, K)`` from 0 to 1: how likely each of ``points`` ``(N, K, 2)`` is right (``NEAR``),
    if distances from the truth are exponentially distributed around their ``expected`` means
    ``(N, K)``, as the models' loss takes them to be. NaN without an inter-ocular distance. Where
    there is no eye centre to measure it by, as the model never learned one, it is taken to be what
    it is in the crops that models see, ``USUAL_EYES`` of their width."""
    eyes = inter_ocular(points, schema)
    if schema.eye_centers is not None:
        unknown = np.isnan(points[:, list(schema.eye_centers)]).any(axis=(1, 2))
        eyes = np.where(unknown, USUAL_EYES * schema.width, eyes)
    return np.asarray(1 - np.exp(-NEAR * eyes[..., None] / expected))


@dataclass(frozen=True)
class Bin:
    """Points of similar expected error: how many, the range of what was expected, and the means
    of what was expected and of what it was; px."""

    n: int
    low: float
    high: float
    expected: float
    actual: float


@dataclass(frozen=True)
class Calibration:
    """Expected beside actual errors of labelled points.

    Attributes:
        n: points.
        bins: of about equally many points each, by ascending expected error.
        rank_correlation: Spearman's: 1 if the points stand in the same order by both, 0 if one
            says nothing of the other; NaN where there is no telling.
        expected, actual: means over all points, px; NaN without any.
    """

    n: int
    bins: tuple[Bin, ...]
    rank_correlation: float
    expected: float
    actual: float

    @property
    def ratio(self) -> float:
        """Mean actual over mean expected error: above 1 the model is too sure of itself."""
        return self.actual / self.expected if self.expected > 0 else float("nan")


def calibration(expected: Values, actual: Values, bins: int = 10) -> Calibration:
    """Compare ``expected`` with ``actual`` errors, both of one shape and in px; what is NaN in
    either does not count."""
    known = np.isfinite(expected) & np.isfinite(actual)
    e, a = np.asarray(expected[known], np.float64), np.asarray(actual[known], np.float64)
    order = np.argsort(e, kind="stable")
    parts = [part for part in np.array_split(order, min(bins, max(1, len(e)))) if len(part)]
    return Calibration(
        n=len(e),
        bins=tuple(
            Bin(len(p), float(e[p[0]]), float(e[p[-1]]), float(e[p].mean()), float(a[p].mean()))
            for p in parts
        ),
        rank_correlation=_spearman(e, a),
        expected=mean(e),
        actual=mean(a),
    )


def _spearman(x: Values, y: Values) -> float:
    from scipy.stats import spearmanr  # type: ignore[import-untyped]

    if len(x) < 2 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return float("nan")
    return float(spearmanr(x, y).statistic)
