"""How exact the labels are, told by pictures that were labelled twice.

Two images of the same picture, cropped otherwise, have one set of true points. How far their
labels lie apart, once the crops are laid over each other, is therefore made of label errors alone:

    d = e1 - e2,    var(d) = 2 var(e)    if the two errors are independent and of equal spread.

A model whose predictions are the true points is still off by the label error e when it is scored,
so its RMSE is rms(d) / sqrt(2): the floor of that score. The same factor holds for the mean
absolute error if e is normal. What the assumptions leave out:

- laying the crops over each other is not exact either, and near duplicates may be neighbouring
  frames: both are part of d and make the floor too high;
- one person who labels both images, or copies the labels over, errs twice alike: that part
  cancels in d and makes the floor too low;
- an error that all labels of a point share (what counts as "the corner of the eye") is in
  neither: a model learns it.

An error of registration moves all points of a pair together, and so does a crop labelled with an
offset. The spread without the common shift of each pair, ``shift_free_px``, leaves both out; the
truth about single points lies between the two. A few gross errors dominate an RMS: the robust
spread, the median of abs(d) times 1.4826 (which makes it the standard deviation of normal errors),
shows the floor of the ordinary label.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fkd.dataset import Dataset
from fkd.evaluation.metrics import mean, median
from fkd.measures import Measures
from fkd.statistics.duplicates import label_differences

_MAD_TO_STD = 1.4826
_RESAMPLES = 2_000

Differences = NDArray[np.float64]


@dataclass(frozen=True)
class Disagreement:
    """How far two labels of the same coordinate lie apart, px; NaN without any.

    Attributes:
        coordinates: number of coordinates labelled twice.
        rms_px, mean_abs_px, median_abs_px: root mean square, mean and median of abs(d).
    """

    coordinates: int
    rms_px: float
    mean_abs_px: float
    median_abs_px: float

    @property
    def floor_rmse_px(self) -> float:
        """RMSE of a perfect model."""
        return self.rms_px / 2**0.5

    @property
    def floor_mae_px(self) -> float:
        """Mean absolute error of a perfect model, if label errors are normal."""
        return self.mean_abs_px / 2**0.5

    @property
    def robust_rmse_px(self) -> float:
        """RMSE of a perfect model on ordinary labels, gross errors left out."""
        return self.median_abs_px * _MAD_TO_STD / 2**0.5


@dataclass(frozen=True)
class LabelNoise:
    """The label noise of a dataset.

    Attributes:
        pairs: pairs of training images with a point that both have labelled.
        groups: independent groups (people, or else sets of duplicates) they come from.
        copied: pairs of equal images with equal labels, left out: rows given twice, not labelled
            twice.
        torn: pairs left out because the two images are of different groups.
        overall: over all coordinates of all pairs.
        rms_interval_px: 95 % bootstrap interval of ``overall.rms_px`` over the groups; NaN for
            fewer than two.
        shift_free_px: as ``overall.rms_px``, without the common shift of each pair.
        weighted_rms_px: as ``overall.rms_px``, each keypoint counting as often as the dataset has
            it labelled, for comparison with scores over all rows; keypoints that no pair has are
            left out.
        per_keypoint: the disagreement by name, in the order of the schema.
    """

    pairs: int
    groups: int
    copied: int
    torn: int
    overall: Disagreement
    rms_interval_px: tuple[float, float]
    shift_free_px: float
    weighted_rms_px: float
    per_keypoint: dict[str, Disagreement]


def label_noise(
    dataset: Dataset, measures: Measures, groups: NDArray[np.integer] | None = None
) -> LabelNoise:
    """Measure how far the labels of near duplicates within the training images lie apart.

    Args:
        measures: those of ``dataset``, for its pairs.
        groups: ``(N,)`` numbers of the people shown, -1 = unknown, as ``read_groups`` gives them.
            Pairs of one person are not independent, and a pair of two people is no pair.
    """
    n = len(dataset)
    pairs = np.stack([measures.pair_a, measures.pair_b], axis=1)
    training = (pairs < n).all(axis=1)
    pairs, exact = pairs[training], np.asarray(measures.pair_exact[training])
    numbers = np.full(n, -1) if groups is None else np.asarray(groups)
    of = numbers[pairs]
    torn = (of >= 0).all(axis=1) & (of[:, 0] != of[:, 1])
    d = label_differences(dataset.images, dataset.keypoints, pairs, exact)
    twice = np.isfinite(d).any(axis=(1, 2))
    copied = exact & twice & ~((np.nan_to_num(d) != 0).any(axis=(1, 2)))
    use = twice & ~torn & ~copied
    # Where the people are not known, each set of duplicates is one.
    sets = n + np.asarray(measures.duplicate)[pairs[:, 0]]
    group = np.where(of[:, 0] >= 0, of[:, 0], sets)[use]
    d = d[use]
    return LabelNoise(
        pairs=len(d),
        groups=len(np.unique(group)),
        copied=int((copied & ~torn).sum()),
        torn=int(torn.sum()),
        overall=_disagreement(d),
        rms_interval_px=_interval(d, group),
        shift_free_px=_shift_free(d),
        weighted_rms_px=_weighted(d, measures.present.sum(axis=1)),
        per_keypoint={
            name: _disagreement(d[:, k : k + 1]) for k, name in enumerate(dataset.schema.names)
        },
    )


def _disagreement(d: Differences) -> Disagreement:
    return Disagreement(
        coordinates=int(np.isfinite(d).sum()),
        rms_px=float(np.sqrt(mean(d**2))),
        mean_abs_px=mean(np.abs(d)),
        median_abs_px=median(np.abs(d)),
    )


def _weighted(d: Differences, labelled: NDArray[np.integer]) -> float:
    """``labelled`` ``(K,)`` is how often each keypoint counts."""
    squares = np.array([mean(d[:, k] ** 2) for k in range(d.shape[1])])
    known = np.isfinite(squares) & (labelled > 0)
    if not known.any():
        return float("nan")
    return float(np.sqrt(np.average(squares[known], weights=labelled[known])))


def _shift_free(d: Differences) -> float:
    """RMS of what is left of ``d`` ``(P, K, 2)`` without each pair's mean over its points; a mean
    takes one degree of freedom along."""
    here = np.isfinite(d[..., 0])
    count = here.sum(axis=1)
    d, count = np.where(here[..., None], d, 0)[count > 1], count[count > 1]
    if not len(d):
        return float("nan")
    squares = (d**2).sum(axis=1) - d.sum(axis=1) ** 2 / count[:, None]
    return float(np.sqrt(squares.sum() / (2 * (count - 1).sum())))


def _interval(d: Differences, group: NDArray[np.integer]) -> tuple[float, float]:
    """95 % interval of the RMS of ``d``, whole groups drawn anew: percentile bootstrap."""
    names, number = np.unique(group, return_inverse=True)
    if len(names) < 2:
        return float("nan"), float("nan")
    squares = np.bincount(number, np.nansum(d**2, axis=(1, 2)))
    counts = np.bincount(number, np.isfinite(d).sum(axis=(1, 2)))
    drawn = np.random.default_rng(0).integers(0, len(names), (_RESAMPLES, len(names)))
    rms = np.sqrt(squares[drawn].sum(axis=1) / counts[drawn].sum(axis=1))
    low, high = np.quantile(rms, (0.025, 0.975))
    return float(low), float(high)
