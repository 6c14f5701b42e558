"""What was corrected between two states of labels, by kind: what a gain may come from."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from fkd.evaluation.gain import Gain
from fkd.labels.states import Labels, Origin, State

FAR_PX = 2.0
"""From this distance on a label counts as moved far: about twice what two labels of the same point
differ by, see ``floor``."""

ENOUGH = 50
"""Corrected labels from which on a change of the error is put down to them, or compared from
keypoint to keypoint. With fewer, a keypoint has three at most on average, so that which one has how
many is chance; and what so few labels change in a model is less than what another seed does."""

SIGNIFICANT = 0.05
"""A rank correlation is one if chance alone would show one as strong less often than this."""


class Correction(IntEnum):
    """What became of a label."""

    NONE = 0
    """It lies where it lay, or still nowhere; only its state or its origin may be another."""
    FAR = 1
    SLIGHT = 2
    ADDED = 3
    ACCEPTED = 4
    """It is now a prediction that a person accepted, wherever it was before."""
    REMOVED = 5


WORDS = {
    Correction.FAR: "moved far",
    Correction.SLIGHT: "moved slightly",
    Correction.ADDED: "added",
    Correction.ACCEPTED: "accepted prediction",
    Correction.REMOVED: "removed",
}
"""The kinds in words, in the order to list them."""


def corrections(before: Labels, after: Labels) -> NDArray[np.int8]:
    """``(N, K)`` values of ``Correction`` between two states of the labels of the same images.

    Only where a label lies counts, as that is what a model learns: saying that a point is occluded
    or that a missing one is absent is no correction here.

    Raises:
        ValueError: if they are not of the same images and keypoints.
    """
    if before.schema != after.schema or not np.array_equal(before.rows, after.rows):
        raise ValueError("the labels are not of the same images and keypoints")
    had, has = before.states >= State.OCCLUDED, after.states >= State.OCCLUDED
    moved = np.linalg.norm(after.points.astype(np.float64) - before.points, axis=2)
    changed = (had != has) | (moved > 0)  # NaN > 0 does not hold
    found = np.full(had.shape, Correction.NONE, np.int8)
    for kind, holds in (
        (Correction.SLIGHT, had & has),
        (Correction.FAR, moved >= FAR_PX),
        (Correction.ADDED, ~had & has),
        (Correction.ACCEPTED, has & (after.origins == Origin.PREDICTION)),
        (Correction.REMOVED, had & ~has),
    ):
        found[changed & holds] = kind
    return found


def distances(before: Labels, after: Labels) -> NDArray[np.float64]:
    """``(N, K)`` px that labels were moved by; NaN where there is no label in one of the two."""
    return np.asarray(np.linalg.norm(after.points.astype(np.float64) - before.points, axis=2))


def counts(found: NDArray[np.int8]) -> NDArray[np.int64]:
    """``(K, 5)`` how many labels of each keypoint were corrected in each way, in the order of
    ``WORDS``; ``found`` ``(N, K)`` as ``corrections`` gives them."""
    return np.stack([(found == kind).sum(axis=0) for kind in WORDS], axis=1)


@dataclass(frozen=True)
class Association:
    """Whether keypoints with more corrected labels gained more.

    Attributes:
        rank: Spearman's rank correlation over the keypoints of how much the error fell with the
            number of corrected labels: 1 if it fell in just that order. NaN where there is no
            telling.
        p: how often chance alone would show one as strong; NaN where ``rank`` is.
    """

    rank: float
    p: float

    @property
    def significant(self) -> bool:
        return self.p < SIGNIFICANT


def association(gained: Gain, corrected: NDArray[np.integer]) -> Association | None:
    """How the gain of each keypoint goes with the number of its labels ``corrected`` ``(K,)``; None
    for fewer than ``ENOUGH`` of them. Its ``rank`` is NaN for fewer than three keypoints with an
    error, or where all are alike. It shows what goes together, not what caused what."""
    from scipy.stats import spearmanr  # type: ignore[import-untyped]

    if np.sum(corrected) < ENOUGH:
        return None
    fell = np.array([-d.change_px for d in gained.keypoints])
    known = np.isfinite(fell)
    fell, corrected = fell[known], np.asarray(corrected)[known]
    if len(fell) < 3 or np.ptp(fell) == 0 or np.ptp(corrected) == 0:
        return Association(float("nan"), float("nan"))
    found = spearmanr(fell, corrected)
    return Association(float(found.statistic), float(found.pvalue))
