"""Pictures that the dataset has twice: what one's labels say of the other's."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fkd.dataset import Dataset
from fkd.measures import Measures
from fkd.progress import Progress, silent
from fkd.statistics.chunks import chunks
from fkd.statistics.registration import transfer

_PAIRS = 64


@dataclass(frozen=True)
class Twins:
    """Labels carried over between images that show the same picture.

    Attributes:
        at: ``(P,)`` int64, positions of images; each pair of duplicates is in it both ways.
        of: ``(P,)`` int64, positions of the images whose labels were carried over.
        points: ``(P, K, 2)`` float64, px: where they lie in the image at ``at``; NaN = missing.
    """

    at: NDArray[np.int64]
    of: NDArray[np.int64]
    points: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.at)

    @classmethod
    def none(cls, keypoints: int) -> Twins:
        """There are no duplicates."""
        return cls(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros((0, keypoints, 2)))


def find_twins(
    dataset: Dataset,
    measures: Measures,
    points: NDArray[np.floating],
    progress: Progress = silent,
) -> Twins:
    """Carry the labels ``points`` ``(N, K, 2)`` over between the duplicates of ``dataset``.

    Pairs without a label on either side, and those with a test image, are left out.
    """
    n = len(dataset)
    a, b = np.asarray(measures.pair_a), np.asarray(measures.pair_b)
    known = np.isfinite(points).all(axis=2).any(axis=1)
    inside = (a < n) & (b < n)
    inside[inside] = known[a[inside]] & known[b[inside]]
    a, b, exact = a[inside], b[inside], np.asarray(measures.pair_exact)[inside]
    at, of = np.concatenate([a, b]), np.concatenate([b, a])
    carried = np.asarray(points, np.float64)[of]
    near = np.flatnonzero(~np.tile(exact, 2))
    for part in chunks(len(near), _PAIRS, "comparing labels of duplicates", progress):
        for i in near[part]:
            carried[i] = transfer(dataset.images[of[i]], dataset.images[at[i]], carried[i])
    return Twins(at, of, carried)
