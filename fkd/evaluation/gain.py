"""Whether a second model is closer than a first one on the same images, and how sure that is.

The truth is the same for both, and so are the images: the comparison is paired. Which images happen
to be held back is chance, and with other ones the difference would be another: a bootstrap (Efron
and Tibshirani, An Introduction to the Bootstrap, 1993, percentile interval) says how far it may
reach. What is drawn anew are whole groups of images, as images of one picture or one person err
alike: drawn one by one they would make the interval too narrow (A. C. Cameron, J. B. Gelbach and
D. L. Miller, "Bootstrap-based improvements for inference with clustered errors", Review of
Economics and Statistics 90, 2008).

The interval of a keypoint is wider than that of all points: all keypoints together are held to
the level (Bonferroni), or one in twenty would stand out by chance.

It does not know the chance within the trainings themselves: with another seed, the same labels give
another model.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fkd.evaluation.learned import counting
from fkd.evaluation.metrics import Points, Values, image_errors
from fkd.evaluation.scores import ALL_ROWS
from fkd.keypoints import KeypointSchema
from fkd.statistics.missing import FEW, MANY, SOURCE_NAMES, label_source, present

RESAMPLES = 4_000
LEVEL = 0.95
"""Share of the resamples that lie within an interval, and of all keypoints within all of theirs."""

MOST_UNITS = 2_000
"""Groups that are drawn anew, at most. More are thrown together by chance into as many larger ones
first: their sums vary as much, and what is drawn stays small for any number of images."""

_AT_ONCE = 100
BETTER, WORSE, UNCLEAR = "better", "worse", "unclear"


@dataclass(frozen=True)
class Difference:
    """RMSE of two models over some labelled points.

    Attributes:
        what: a name of label sources (``ALL_ROWS``, ``SOURCE_NAMES``) or of a keypoint.
        images, points: how many images have such points, and how many points these are.
        before_px, after_px: RMSE of the first and of the second model; NaN without points.
        low_px, high_px: interval of ``change_px``, see ``LEVEL``; NaN for fewer than two groups of
            images.
    """

    what: str
    images: int
    points: int
    before_px: float
    after_px: float
    low_px: float
    high_px: float

    @property
    def change_px(self) -> float:
        """Below 0 the second model is closer."""
        return self.after_px - self.before_px

    @property
    def verdict(self) -> str:
        """``BETTER`` or ``WORSE`` where the whole interval says so, else ``UNCLEAR``."""
        if self.high_px < 0:
            return BETTER
        return WORSE if self.low_px > 0 else UNCLEAR


@dataclass(frozen=True)
class Gain:
    """What became of the errors from the first model to the second.

    Attributes:
        overall: over all points.
        sources: over the rows of each label source that there is.
        keypoints: over each keypoint, in the order of the schema.
        change: ``(N,)`` px, mean point error of each image after minus before; NaN where nothing
            is labelled.
        groups: how many groups of images with a labelled point were drawn from; as many as images
            if each stands alone.
    """

    overall: Difference
    sources: tuple[Difference, ...]
    keypoints: tuple[Difference, ...]
    change: Values
    groups: int

    @property
    def better(self) -> int:
        """Images that the second model is closer on."""
        return int((self.change < 0).sum())

    @property
    def worse(self) -> int:
        return int((self.change > 0).sum())


def gain(
    before: Points,
    after: Points,
    truth: Points,
    schema: KeypointSchema,
    seed: int = 0,
    taught: NDArray[np.bool_] | None = None,
    groups: NDArray[np.integer] | None = None,
) -> Gain:
    """Compare predictions ``before`` and ``after`` of the same images with the same ``truth``; all
    ``(N, K, 2)`` in px, NaN in ``truth`` where a label is missing. The same ``seed`` gives the
    same intervals. With ``taught`` ``(K,)``, only these keypoints count.

    Images of the same number in ``groups`` ``(N,)``, such as ``Measures.duplicate``, are drawn
    together; one of number -1 stands alone, as every image does without ``groups``.

    Raises:
        ValueError: when shapes differ or a prediction that counts is not finite.
    """
    source = label_source(truth)
    if taught is not None:
        truth = counting(truth, taught)
    change = image_errors(after, truth) - image_errors(before, truth)
    squares = [_squares(points, truth) for points in (before, after)]
    counts = 2.0 * present(truth)
    rows = {ALL_ROWS: np.ones(len(truth), bool)}
    rows |= {SOURCE_NAMES[s]: source == s for s in (MANY, FEW) if (source == s).any()}
    # Of each set of points, for each image: squared errors before and after, and coordinates.
    names = [*rows, *schema.names]
    sums = np.stack(
        [
            np.column_stack([*(value.sum(axis=1) * of for of in rows.values()), value])
            for value in (*squares, counts)
        ],
        axis=2,
    )
    units = _units(len(truth), groups)
    outside = np.full(len(names), 1 - LEVEL)
    outside[len(rows) :] /= len(schema)
    low, high = _intervals(_summed(sums, units), outside, seed)
    found = [_difference(name, sums[:, i], units, low[i], high[i]) for i, name in enumerate(names)]
    return Gain(
        found[0],
        tuple(found[1 : len(rows)]),
        tuple(found[len(rows) :]),
        change,
        len(np.unique(units[sums[:, 0, 2] > 0])),
    )


def _units(n: int, groups: NDArray[np.integer] | None) -> NDArray[np.intp]:
    """``(n,)`` numbers from 0 of what is drawn together."""
    if groups is None:
        return np.arange(n)
    names = np.where(groups < 0, groups.max(initial=0) + 1 + np.arange(n), groups)
    return np.unique(names, return_inverse=True)[1].reshape(n)


def _summed(sums: Values, units: NDArray[np.intp]) -> Values:
    """``sums`` ``(N, M, 3)`` of images as those of their units ``(U, M, 3)``."""
    total = np.zeros((units.max(initial=-1) + 1, *sums.shape[1:]))
    np.add.at(total, units, sums)
    return total


def _squares(points: Points, truth: Points) -> Values:
    """``(N, K)`` squared distances, 0 where a label is missing."""
    here = present(truth)[..., None]
    apart = np.where(here, points, 0).astype(np.float64) - np.where(here, truth, 0)
    return np.asarray((apart**2).sum(axis=2))


def _difference(
    what: str, sums: Values, units: NDArray[np.intp], low: float, high: float
) -> Difference:
    """``sums`` ``(N, 3)`` of one set of points."""
    before, after = _rmse(sums.sum(axis=0))
    here = sums[:, 2] > 0
    # Of a single group nothing can be drawn anew.
    several = len(np.unique(units[here])) > 1
    ends = (float(low), float(high)) if several else (float("nan"), float("nan"))
    points = int(sums[:, 2].sum()) // 2
    return Difference(what, int(here.sum()), points, float(before), float(after), *ends)


def _rmse(sums: Values) -> tuple[Values, Values]:
    """RMSE before and after of sums ``(..., 3)``; NaN of no coordinates."""
    count = np.where(sums[..., 2] > 0, sums[..., 2], np.nan)
    return np.sqrt(sums[..., 0] / count), np.sqrt(sums[..., 1] / count)


def _intervals(sums: Values, outside: Values, seed: int) -> tuple[Values, Values]:
    """``(M,)`` lower and upper ends for each of M sets of points, of the ``sums`` ``(U, M, 3)`` of
    what is drawn anew; the share ``outside`` ``(M,)`` of the resamples lies beyond them. NaN where
    there is nothing to draw from."""
    ends = np.full((2, sums.shape[1]), np.nan)
    if not len(sums):
        return ends[0], ends[1]
    rng = np.random.default_rng(seed)
    if len(sums) > MOST_UNITS:
        sums = _summed(sums, rng.permutation(len(sums)) % MOST_UNITS)
    n = len(sums)
    changes: list[NDArray[np.float64]] = []
    for _ in range(RESAMPLES // _AT_ONCE):
        times = rng.multinomial(n, np.full(n, 1 / n), _AT_ONCE).astype(np.float64)
        before, after = _rmse(np.tensordot(times, sums, axes=1))
        changes.append(after - before)
    drawn = np.concatenate(changes)
    # A set of few images may be drawn without any of them.
    for i in np.flatnonzero(np.isfinite(drawn).any(axis=0)):
        ends[:, i] = np.nanquantile(drawn[:, i], (outside[i] / 2, 1 - outside[i] / 2))
    return ends[0], ends[1]
