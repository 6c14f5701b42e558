"""Labels of left and right exchanged: the commonest slip of those who place points by hand."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fkd.keypoints import KeypointSchema
from fkd.statistics.missing import label_source
from fkd.statistics.shape_model import ShapeModels
from fkd.statistics.thresholds import OUTLIER_SCORE

MIN_REVERSAL = 0.02
"""How far a pair must be the wrong way round, as a share of the image's width."""

MIN_GAIN = 2.0
"""How much more probable the exchange must make the shape, in powers of ten."""


@dataclass(frozen=True)
class SwapResult:
    """Where left and right look exchanged.

    Attributes:
        rows: ``(N,)`` bool, rows with an exchanged pair.
        pairs: ``(N, len(schema.mirror_pairs))`` bool, the pairs to exchange.
        gain: ``(N,)`` float32, log10 of how much more probable exchanging them makes the row's
            shape; 0 where no pair is the wrong way round.
    """

    rows: NDArray[np.bool_]
    pairs: NDArray[np.bool_]
    gain: NDArray[np.float32]


def find_swaps(
    keypoints: NDArray[np.floating], schema: KeypointSchema, models: ShapeModels
) -> SwapResult:
    """Find rows of ``keypoints`` ``(N, K, 2)`` whose mirror pairs carry each other's labels.

    A pair comes into question where its order in x is the reverse of the dataset's usual one by
    more than ``MIN_REVERSAL`` of the width. A strongly turned head can do that too, so it
    counts only if the exchange makes the row's shape ``10**MIN_GAIN`` times as probable. A point
    put far off may do so as well without either labelling fitting, so the exchanged points must
    not be outliers themselves (``OUTLIER_SCORE``).
    """
    rows = len(keypoints)
    pairs = _reversed_pairs(keypoints, schema)
    gain = np.zeros(rows, np.float32)
    candidates = np.flatnonzero(pairs.any(axis=1))
    source = label_source(keypoints[candidates])
    for value in np.unique(source):
        chosen = candidates[source == value]
        points = np.asarray(keypoints[chosen], np.float64)
        pairs[chosen], gain[chosen] = _confirm(points, pairs[chosen], schema, models, int(value))
    confirmed = gain >= MIN_GAIN
    found = np.flatnonzero(confirmed)
    after = models.score(exchange(keypoints[found], pairs[found], schema)).points
    for column, (a, b) in enumerate(schema.mirror_pairs):
        fits = np.fmax(after[:, a], after[:, b]) < OUTLIER_SCORE
        pairs[found, column] &= fits
    confirmed &= pairs.any(axis=1)
    pairs &= confirmed[:, None]
    return SwapResult(confirmed, pairs, gain)


def exchange(
    points: NDArray[np.floating], pairs: NDArray[np.bool_], schema: KeypointSchema
) -> NDArray[np.floating]:
    """A copy of ``points`` ``(N, K, 2)`` with the labels of ``pairs`` (as in ``SwapResult``)
    exchanged."""
    result = np.array(points)
    for column, (a, b) in enumerate(schema.mirror_pairs):
        rows = pairs[:, column]
        result[rows, a], result[rows, b] = points[rows, b], points[rows, a]
    return result


def _reversed_pairs(keypoints: NDArray[np.floating], schema: KeypointSchema) -> NDArray[np.bool_]:
    wrong = np.zeros((len(keypoints), len(schema.mirror_pairs)), bool)
    for column, (a, b) in enumerate(schema.mirror_pairs):
        apart = keypoints[:, a, 0] - keypoints[:, b, 0]
        known = np.isfinite(apart)
        if known.any():
            usual = np.sign(np.median(apart[known]))
            wrong[:, column] = apart * usual < -MIN_REVERSAL * schema.width
    return wrong


def _confirm(
    points: NDArray[np.float64],
    pairs: NDArray[np.bool_],
    schema: KeypointSchema,
    models: ShapeModels,
    source: int,
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Of the pairs in question, those whose exchange helps, and how much all together do."""
    model = models.of(source)
    best = pairs
    density = model.log_density(exchange(points, pairs, schema))
    # A turned head may reverse one pair by itself while another is exchanged: leave out each
    # pair that is better left alone.
    for column in range(pairs.shape[1]):
        fewer = best.copy()
        fewer[:, column] = False
        without = model.log_density(exchange(points, fewer, schema))
        better = without > density
        best = np.where(better[:, None], fewer, best)
        density = np.maximum(density, without)
    return best, density - model.log_density(points)
