"""Whether a second model is closer than a first one on the same images, and how sure that is.

The truth is the same for both. Which images happen to be held back is chance, and with other ones
the difference would be another: a bootstrap over the images (Efron and Tibshirani, An Introduction
to the Bootstrap, 1993, percentile interval) says how far it may reach. It does not know the chance
within the trainings themselves: with another seed, the same labels give another model.
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

RESAMPLES = 2_000
LEVEL = 0.95
"""Share of the resamples that lie within an interval."""

_AT_ONCE = 100
BETTER, WORSE, UNCLEAR = "better", "worse", "unclear"


@dataclass(frozen=True)
class Difference:
    """RMSE of two models over some labelled points.

    Attributes:
        what: a name of label sources (``ALL_ROWS``, ``SOURCE_NAMES``) or of a keypoint.
        images, points: how many images have such points, and how many points these are.
        before_px, after_px: RMSE of the first and of the second model; NaN without points.
        low_px, high_px: 95 % interval of ``change_px``; NaN for fewer than two images.
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
    """

    overall: Difference
    sources: tuple[Difference, ...]
    keypoints: tuple[Difference, ...]
    change: Values

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
) -> Gain:
    """Compare predictions ``before`` and ``after`` of the same images with the same ``truth``; all
    ``(N, K, 2)`` in px, NaN in ``truth`` where a label is missing. The same ``seed`` gives the
    same intervals. With ``taught`` ``(K,)``, only these keypoints count.

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
    low, high = _intervals(sums, seed)
    found = [_difference(name, sums[:, i], low[i], high[i]) for i, name in enumerate(names)]
    return Gain(found[0], tuple(found[1 : len(rows)]), tuple(found[len(rows) :]), change)


def _squares(points: Points, truth: Points) -> Values:
    """``(N, K)`` squared distances, 0 where a label is missing."""
    here = present(truth)[..., None]
    apart = np.where(here, points, 0).astype(np.float64) - np.where(here, truth, 0)
    return np.asarray((apart**2).sum(axis=2))


def _difference(what: str, sums: Values, low: float, high: float) -> Difference:
    """``sums`` ``(N, 3)`` of one set of points."""
    before, after = _rmse(sums.sum(axis=0))
    images, coordinates = int((sums[:, 2] > 0).sum()), sums[:, 2].sum()
    # Of a single image nothing can be drawn anew.
    ends = (float(low), float(high)) if images > 1 else (float("nan"), float("nan"))
    return Difference(what, images, int(coordinates) // 2, float(before), float(after), *ends)


def _rmse(sums: Values) -> tuple[Values, Values]:
    """RMSE before and after of sums ``(..., 3)``; NaN of no coordinates."""
    count = np.where(sums[..., 2] > 0, sums[..., 2], np.nan)
    return np.sqrt(sums[..., 0] / count), np.sqrt(sums[..., 1] / count)


def _intervals(sums: Values, seed: int) -> tuple[Values, Values]:
    """``(M,)`` lower and upper ends for each of M sets of points, of ``sums`` ``(N, M, 3)``; NaN
    where there is nothing to draw from."""
    n, sets, _ = sums.shape
    if not n:
        return np.full(sets, np.nan), np.full(sets, np.nan)
    rng = np.random.default_rng(seed)
    changes: list[NDArray[np.float64]] = []
    for _ in range(RESAMPLES // _AT_ONCE):
        times = rng.multinomial(n, np.full(n, 1 / n), _AT_ONCE).astype(np.float64)
        before, after = _rmse(np.tensordot(times, sums, axes=1))
        changes.append(after - before)
    drawn = np.concatenate(changes)
    ends = np.full((2, sets), np.nan)
    # A set of few images may be drawn without any of them.
    known = np.isfinite(drawn).any(axis=0)
    outside = (1 - LEVEL) / 2
    ends[:, known] = np.nanquantile(drawn[:, known], (outside, 1 - outside), axis=0)
    return ends[0], ends[1]
