"""What may be wrong with the labels of a face: nothing, a slipped point, a shift, exchanged sides.

Each hypothesis says how the deviations of the labels (``deviations``) came about; the one with the
largest posterior probability wins. With p points labelled, t the density of the deviations of a
face in order and h the broad density of a mistake's size:

- *fine*: t(d)
- *slip* of point k: t(d without k) h(d_k), 1/p of the chance of a slip for each k
- *shift* by s px: the integral of t(d - s) h(s) over s, by Laplace's method
- *swap* of some mirror pairs: t of the deviations after exchanging them
- *far*: a t whose scale has the size of a slip at every point

The score of a face is log10 of how much more probable the best mistake is than *fine*: above 0 its
labels are more likely wrong than right, if one face in twenty is (``PRIOR``).
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from fkd.labels.deviations import Deviations, Points
from fkd.labels.odds import Parts, Values, log_density
from fkd.statistics.em import StudentT
from fkd.statistics.missing import group_by_pattern, present
from fkd.statistics.swaps import exchange

FINE, SLIP, SHIFT, SWAP, FAR = range(5)

PRIOR = {SLIP: 0.02, SHIFT: 0.014, SWAP: 0.014, FAR: 0.002}
"""Share of the faces with each kind of mistake, as it is taken to be before looking."""

_AGAIN = 0.1
"""Chance that a face with a slipped point has another one."""

_LOG10 = float(np.log(10))


@dataclass(frozen=True)
class Judged:
    """The best hypothesis about each of N faces.

    Attributes:
        score: ``(N,)`` float64, log10 odds of the best mistake against *fine*; NaN for faces
            without a label, or about which nothing is known.
        kind: ``(N,)`` int8: ``SLIP``, ``SHIFT``, ``SWAP`` or ``FAR``, however improbable;
            ``FINE`` where the score is NaN.
        keypoints: ``(N, K)`` bool, the points that the mistake concerns.
        shift: ``(N, 2)`` float64, px, by how much the labels are shifted; NaN for other kinds.
        fix: ``(N, K, 2)`` float32, px: all labels with the mistake put right; NaN = missing.
        slips: ``(N, K)`` float64, log10 odds that this point slipped, and only it; NaN = missing.
    """

    score: Values
    kind: NDArray[np.int8]
    keypoints: NDArray[np.bool_]
    shift: Values
    fix: NDArray[np.float32]
    slips: Values

    def replaced(self, at: NDArray[np.intp], by: Judged) -> Judged:
        """A copy in which ``by`` is said of the faces ``at``."""
        new = {field.name: getattr(self, field.name).copy() for field in fields(self)}
        for name, values in new.items():
            values[at] = getattr(by, name)
        return Judged(**new)


def judge(points: NDArray[np.floating], deviations: Deviations) -> Judged:
    """Find the best hypothesis about the labels ``points`` ``(N, K, 2)``, px, NaN = missing."""
    n, k = points.shape[:2]
    away = deviations.of(points)
    judged = Judged(
        score=np.full(n, np.nan),
        kind=np.full(n, FINE, np.int8),
        keypoints=np.zeros((n, k), bool),
        shift=np.full((n, 2), np.nan),
        fix=np.array(points, np.float32),
        slips=np.full((n, k), np.nan),
    )
    for source, model in deviations.models.items():
        rows = np.flatnonzero((deviations.source == source) & present(away).any(axis=1))
        fine = log_density(model, away[rows])
        for mask, members in group_by_pattern(present(away[rows])):
            at = rows[members]
            parts = Parts.of(model, away[at], mask, deviations.unit[at])
            _slips(judged, points, deviations, parts, at)
            _shifts(judged, points, parts, at)
            _far(judged, away, deviations, parts, at)
        _swaps(judged, points, deviations, model, rows, fine)
    return judged


def _take(judged: Judged, rows: NDArray[np.intp], kind: int, odds: Values) -> NDArray[np.bool_]:
    """Let hypotheses of ``kind`` stand for those of ``rows`` that they beat; which these are."""
    score = odds / _LOG10
    better = ~(score <= judged.score[rows])
    judged.score[rows[better]] = score[better]
    judged.kind[rows[better]] = kind
    judged.keypoints[rows[better]] = False
    judged.shift[rows[better]] = np.nan
    return better


def _slips(
    judged: Judged,
    points: NDArray[np.floating],
    deviations: Deviations,
    parts: Parts,
    rows: NDArray[np.intp],
) -> None:
    odds = parts.slips() + np.log(PRIOR[SLIP] / len(parts.columns))
    judged.slips[np.ix_(rows, parts.columns)] = odds / _LOG10
    best = odds.argmax(axis=1)
    taken = np.arange(len(rows))
    residual = parts.residual[taken, best] * parts.unit[taken, best, None]
    column = parts.columns[best]
    better = _take(judged, rows, SLIP, odds[taken, best])
    at, column = rows[better], column[better]
    judged.fix[at] = points[at]
    judged.keypoints[at, column] = True
    judged.fix[at, column] = points[at, column] - residual[better]
    for row in at[judged.score[at] > 0]:
        _more_slips(judged, points, deviations, parts.model, int(row))


def _more_slips(
    judged: Judged,
    points: NDArray[np.floating],
    deviations: Deviations,
    model: StudentT,
    row: int,
) -> None:
    """Add points to a slip as long as that is more probable than without."""
    one = deviations.take(np.array([row]))
    unit, slipped = one.unit, judged.keypoints[row]
    while True:
        left = np.array(points[[row]], np.float64)
        left[0, slipped] = np.nan
        away = one.of(left)
        mask = present(away)[0]
        if not mask.any():
            break
        parts = Parts.of(model, away, mask, unit)
        odds = parts.slips()[0] + np.log(_AGAIN / len(parts.columns))
        best = int(odds.argmax())
        if odds[best] <= 0:
            break
        slipped[parts.columns[best]] = True
        judged.score[row] += odds[best] / _LOG10
    if slipped.sum() > 1:
        judged.fix[row, slipped] = _filled(model, one, left)[slipped]


def _filled(model: StudentT, one: Deviations, left: Points) -> Points:
    """``(K, 2)`` px: where the points of one face are expected, given those ``left``."""
    away = one.of(left)[0].ravel()
    seen = np.isfinite(away)
    expected = model.mean.copy()
    if seen.any():
        cross = model.scale[:, seen]
        solved = np.linalg.solve(model.scale[np.ix_(seen, seen)], away[seen] - model.mean[seen])
        expected += cross @ solved
    found: Points = one.expected[0] + one.unit[0, :, None] * expected.reshape(-1, 2)
    return found


def _shifts(
    judged: Judged, points: NDArray[np.floating], parts: Parts, rows: NDArray[np.intp]
) -> None:
    if len(parts.columns) < 2:
        return  # a face of one point: that is a slip
    odds, shift = parts.shifts()
    better = _take(judged, rows, SHIFT, odds + np.log(PRIOR[SHIFT]))
    at = rows[better]
    judged.keypoints[np.ix_(at, parts.columns)] = True
    judged.shift[at] = shift[better]
    # Of labels that are compared with nothing, nobody knows whether they are shifted too.
    here = np.ix_(at, parts.columns)
    judged.fix[at] = points[at]
    judged.fix[here] = points[here] - shift[better, None]


def _far(
    judged: Judged, away: Points, deviations: Deviations, parts: Parts, rows: NDArray[np.intp]
) -> None:
    odds = parts.scattered(away[rows]) + np.log(PRIOR[FAR])
    at = rows[_take(judged, rows, FAR, odds)]
    here = np.ix_(at, parts.columns)
    judged.keypoints[here] = True
    judged.fix[here] = deviations.expected[here]


def _swaps(
    judged: Judged,
    points: NDArray[np.floating],
    deviations: Deviations,
    model: StudentT,
    rows: NDArray[np.intp],
    fine: Values,
) -> None:
    """``fine`` are the log densities of ``rows`` as they are."""
    schema = deviations.schema
    if not schema.mirror_pairs:
        return
    chosen = _nearer_exchanged(points[rows], deviations.expected[rows], schema.mirror_pairs)
    some = chosen.any(axis=1)
    rows, chosen, fine = rows[some], chosen[some], fine[some]
    if not len(rows):
        return
    here = deviations.take(rows)

    def density(pairs: NDArray[np.bool_]) -> Values:
        return log_density(model, here.of(exchange(points[rows], pairs, schema)))

    best = density(chosen)
    for column in range(chosen.shape[1]):  # leave out each pair that is better left alone
        fewer = chosen.copy()
        fewer[:, column] = False
        without = density(fewer)
        better = without >= best
        chosen, best = np.where(better[:, None], fewer, chosen), np.maximum(best, without)
    # All ways to exchange some of the pairs that a face has are equally probable at first.
    known = _either(present(points[rows]), schema.mirror_pairs)
    ways = 2.0 ** known.sum(axis=1) - 1
    odds = np.where(chosen.any(axis=1), best - fine + np.log(PRIOR[SWAP] / ways), -np.inf)
    better = _take(judged, rows, SWAP, odds)
    at, pairs = rows[better], chosen[better]
    judged.fix[at] = exchange(points[at], pairs, schema)
    for column, (a, b) in enumerate(schema.mirror_pairs):
        judged.keypoints[at[pairs[:, column]][:, None], [a, b]] = True


def _either(here: NDArray[np.bool_], pairs: tuple[tuple[int, int], ...]) -> NDArray[np.bool_]:
    """``(n, pairs)`` whether a face has a point of the pair."""
    return np.stack([here[:, a] | here[:, b] for a, b in pairs], axis=1)


def _nearer_exchanged(
    points: NDArray[np.floating], expected: Points, pairs: tuple[tuple[int, int], ...]
) -> NDArray[np.bool_]:
    """``(n, pairs)`` whether the points of a pair come nearer to where they are expected when they
    are exchanged; never where it is not known of both where they are."""
    found = np.zeros((len(points), len(pairs)), bool)
    for column, (a, b) in enumerate(pairs):
        straight, crossed = (
            np.nansum(((points[:, [a, b]] - expected[:, order]) ** 2), axis=(1, 2))
            for order in ([a, b], [b, a])
        )
        known = present(expected[:, [a, b]]).all(axis=1)
        found[:, column] = known & (crossed < straight)
    return found
