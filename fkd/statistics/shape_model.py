"""How probable the points of a face are, and each point given the others.

The coordinates of all points are taken as one multivariate t distribution (``em``), which a share
of wrong labels does not bend and whose tails are as heavy as those of the data. Missing points
simply take no part: marginals and conditionals of a t distribution are t distributions (P. Ding,
"On the conditional distribution of the multivariate t distribution", The American Statistician 70,
2016).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaln, fdtrc, hyp2f1  # type: ignore[import-untyped]

from fkd.keypoints import KeypointSchema
from fkd.progress import Progress, silent
from fkd.statistics.chunks import ROWS, chunks
from fkd.statistics.em import StudentT, fit_t
from fkd.statistics.missing import FEW, MANY, group_by_pattern, label_source, present

SAMPLE_ROWS = 20_000
"""Rows a model is fitted on at most."""

SAMPLE_PATTERNS = 400
"""Patterns of missing points among these rows at most."""

MIN_SOURCE_ROWS = 100
"""Rows that a label source needs for a model of its own."""

_PRIOR_ROWS = 5.0
_SOURCE_PRIOR_ROWS = 30.0
_PRIOR_DOF = 6.0

_Points = NDArray[np.floating]


@dataclass(frozen=True)
class OutlierScores:
    """How unusual faces are; NaN where there is nothing to score.

    Attributes:
        rows: ``(N,)`` float32, -log10 of the share of faces at least so unusual: 3 means one face
            in a thousand.
        points: ``(N, K)`` float32, the same of each point given the row's other points.
        expected: ``(N, K, 2)`` float32, px: where the other points would have the point.
    """

    rows: NDArray[np.float32]
    points: NDArray[np.float32]
    expected: NDArray[np.float32]


@dataclass(frozen=True)
class ShapeModel:
    """Distribution of a face's K points.

    Attributes:
        t: distribution of the coordinates x0, y0, x1, y1, ..., in px.
        rows: rows it was fitted on.
    """

    t: StudentT
    rows: int

    def score(self, keypoints: _Points, progress: Progress = silent) -> OutlierScores:
        """Score ``keypoints`` ``(N, K, 2)``; see ``OutlierScores``."""
        scores = _empty_scores(keypoints.shape)
        for part in chunks(len(keypoints), ROWS, "scoring labels", progress):
            self._score_rows(keypoints, np.arange(part.start, part.stop), scores)
        return scores

    def log_density(self, keypoints: _Points) -> NDArray[np.float64]:
        """``(N,)`` log10 of the density at the present points, up to a constant that depends only
        on which points are present; NaN for rows without points."""
        result = np.full(len(keypoints), np.nan)
        for mask, rows in group_by_pattern(present(keypoints)):
            if mask.any():
                distance = conditionals(self.t, keypoints[rows], mask)[0]
                power = (self.t.dof + 2 * mask.sum()) / 2
                result[rows] = -power * np.log10(1 + distance / self.t.dof)
        return result

    def _score_rows(
        self, keypoints: _Points, rows: NDArray[np.intp], scores: OutlierScores
    ) -> None:
        """Write the scores of ``rows`` into ``scores``."""
        points = keypoints[rows]
        for mask, members in group_by_pattern(present(points)):
            if not mask.any():
                continue
            distance, parts, residual = conditionals(self.t, points[members], mask)
            at = rows[members]
            scores.rows[at] = _tail(distance, 2 * int(mask.sum()), self.t.dof)
            # A point given p - 1 others is t with dof + 2 (p - 1) degrees of freedom, its scale
            # stretched by (dof + distance of the others) / these; the tail of F(2, m) is closed.
            freedom = self.t.dof + 2 * (mask.sum() - 1)
            others = distance[:, None] - parts
            column = np.flatnonzero(mask)
            scores.points[np.ix_(at, column)] = (
                freedom / 2 * np.log10(1 + parts / (self.t.dof + others))
            )
            scores.expected[np.ix_(at, column)] = points[members][:, mask] - residual


@dataclass(frozen=True)
class ShapeModels:
    """A model of all rows and one for each label source that has enough rows of its own."""

    pooled: ShapeModel
    by_source: dict[int, ShapeModel]

    def of(self, source: int) -> ShapeModel:
        """The model for rows of ``source`` (a value of ``label_source``)."""
        return self.by_source.get(source, self.pooled)

    def score(self, keypoints: _Points, progress: Progress = silent) -> OutlierScores:
        """Score ``keypoints`` ``(N, K, 2)``, each row by the model of its label source."""
        scores = _empty_scores(keypoints.shape)
        for part in chunks(len(keypoints), ROWS, "scoring labels", progress):
            source = label_source(keypoints[part])
            for value in (FEW, MANY):
                rows = part.start + np.flatnonzero(source == value)
                self.of(value)._score_rows(keypoints, rows, scores)
        return scores


def fit_shape_models(
    keypoints: _Points, schema: KeypointSchema, seed: int = 0, progress: Progress = silent
) -> ShapeModels:
    """Fit ``keypoints`` ``(N, K, 2)``: all rows together, and each label source with at least
    ``MIN_SOURCE_ROWS`` rows drawn towards the pooled model.

    At most ``SAMPLE_ROWS`` rows, chosen by ``seed``, take part. Any number of rows will do: with
    few, or points never present, the models fall back on a broad face shape of the image's size.
    """
    source = label_source(keypoints)
    rng = np.random.default_rng(seed)
    rows = _sample(keypoints, np.flatnonzero(source >= 0), rng)
    values = _flat(keypoints[rows])
    pooled = ShapeModel(
        fit_t(values, _broad_prior(values, schema), _PRIOR_ROWS, progress), len(rows)
    )
    by_source = {}
    for value in (MANY, FEW):
        rows = np.flatnonzero(source == value)
        if len(rows) >= MIN_SOURCE_ROWS:
            rows = _sample(keypoints, rows, rng)
            fitted = fit_t(_flat(keypoints[rows]), pooled.t, _SOURCE_PRIOR_ROWS, progress)
            by_source[value] = ShapeModel(fitted, len(rows))
    return ShapeModels(pooled, by_source)


def _flat(points: _Points) -> NDArray[np.float64]:
    """``(N, 2 K)`` coordinates; both NaN where either is missing."""
    values = points.astype(np.float64)
    values[~np.isfinite(values).all(axis=2)] = np.nan
    return values.reshape(len(values), 2 * points.shape[1])


def _sample(
    keypoints: _Points, rows: NDArray[np.intp], rng: np.random.Generator
) -> NDArray[np.intp]:
    """Some of ``rows``: at most ``SAMPLE_ROWS`` with at most ``SAMPLE_PATTERNS`` patterns."""
    chosen = rows if len(rows) <= SAMPLE_ROWS else rng.permutation(rows)[:SAMPLE_ROWS]
    groups = group_by_pattern(present(keypoints[np.sort(chosen)]))
    if len(groups) <= SAMPLE_PATTERNS:
        return np.sort(chosen)
    # The cost of a fit goes with the patterns: take rows in random order until there are enough.
    order = rng.permutation(len(chosen))
    rank = np.empty(len(order), np.intp)
    rank[order] = np.arange(len(order))
    first = np.sort([rank[members].min() for _, members in groups])
    return np.sort(chosen)[np.sort(order[: first[SAMPLE_PATTERNS]])]


def _broad_prior(values: NDArray[np.float64], schema: KeypointSchema) -> StudentT:
    """Each coordinate's median and robust spread, points of a face correlated as it shifts."""
    size = 2 * len(schema)
    mean = np.tile([(schema.width - 1) / 2, (schema.height - 1) / 2], len(schema))
    variance = np.full(size, (min(schema.image_size) / 20) ** 2)
    for j in range(size):
        column = values[np.isfinite(values[:, j]), j]
        if len(column):
            mean[j] = np.median(column)
            mad = np.median(np.abs(column - mean[j])) * 1.4826
            share = len(column) / (len(column) + _PRIOR_ROWS)
            variance[j] += share * (max(mad, 0.5) ** 2 - variance[j])
    same_axis = np.tile(np.eye(2), (len(schema), len(schema)))
    correlation = 0.5 * np.eye(size) + 0.5 * same_axis
    spread = np.sqrt(variance)
    return StudentT(mean, correlation * np.outer(spread, spread), _PRIOR_DOF)


def _empty_scores(shape: tuple[int, ...]) -> OutlierScores:
    return OutlierScores(
        rows=np.full(shape[0], np.nan, np.float32),
        points=np.full(shape[:2], np.nan, np.float32),
        expected=np.full(shape, np.nan, np.float32),
    )


def conditionals(
    t: StudentT, points: _Points, mask: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Distances of rows that all have the points of ``mask`` (p of them).

    Returns the squared Mahalanobis distance of each row ``(n,)``, that of each point given the
    others ``(n, p)``, and the points' distance from their conditional mean ``(n, p, 2)`` in px.
    With P the inverse of the scale matrix these follow from its 2x2 diagonal blocks: the
    conditional scale is P_ii^-1, the residual P_ii^-1 (P (x - mean))_i.
    """
    seen = np.repeat(mask, 2)
    precision = np.linalg.inv(t.scale[np.ix_(seen, seen)])
    count = int(mask.sum())
    away = points[:, mask].reshape(len(points), 2 * count).astype(np.float64) - t.mean[seen]
    solved = away @ precision
    distance = np.einsum("nd,nd->n", away, solved)
    blocks = precision.reshape(count, 2, count, 2)[np.arange(count), :, np.arange(count)]
    pulled = solved.reshape(-1, count, 2)
    residual = np.einsum("kab,nkb->nka", np.linalg.inv(blocks), pulled)
    parts = np.einsum("nka,nka->nk", residual, pulled)
    # Rounding may leave a row's distance a hair below a part of it.
    return np.maximum(distance, parts.max(axis=1)), parts, residual


def _tail(distance: NDArray[np.float64], size: int, dof: float) -> NDArray[np.float64]:
    """-log10 P(D >= distance) where D / size follows F(size, dof), without underflow."""
    tail = fdtrc(size, dof, distance / size)
    # Far out, the incomplete beta function by its series: z^a / (a B(a, b)) 2F1(a, 1-b; a+1; z).
    a, b = dof / 2, size / 2
    z = dof / (dof + distance)
    with np.errstate(divide="ignore", invalid="ignore"):
        far = a * np.log(z) + np.log(hyp2f1(a, 1 - b, a + 1, z)) - np.log(a) - betaln(a, b)
        near = np.log(tail)
    result: NDArray[np.float64] = np.where(tail > 1e-200, near, far) / -np.log(10)
    return np.maximum(result, 0.0)
