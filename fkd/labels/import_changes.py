"""What labels read from files would change, and whether something other than corrections explains
it: points in another order, left and right exchanged, positions cut to whole pixels or shifted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment  # type: ignore[import-untyped]

from fkd.keypoints import KeypointSchema
from fkd.labels.states import Labels, State

SAME_PX = 1e-3
"""Positions that lie so close are the same: other tools round to three decimals."""

MUCH = 0.1
"""Share of the labels that an import may change before somebody has to agree."""
FEW = 3
"""So many labels may change whatever their share."""

_EXPLAINED = 0.25
"""A permutation explains moves of which it leaves less than this share of the distance."""
_SHIFT_PX = 0.25
_SHOWN = 4
_NOTHING = 1e6

Points = NDArray[np.floating]


@dataclass(frozen=True)
class Changes:
    """What becomes of the labels of some images.

    Attributes:
        rows: images whose labels change.
        compared: points that have a position now, of all images that the files name.
        placed: points that get a position and had none.
        moved: points that get another position.
        removed: points that lose theirs.
        restated: points that keep their position, or their lack of one, and get another state.
        median_px, largest_px: how far points move; 0 if none does.
        explanation: what would explain the moves other than corrections, in a sentence; empty if
            nothing would.
    """

    rows: int
    compared: int
    placed: int
    moved: int
    removed: int
    restated: int
    median_px: float
    largest_px: float
    explanation: str

    @property
    def total(self) -> int:
        """Labels that change."""
        return self.placed + self.moved + self.removed + self.restated

    @property
    def much(self) -> bool:
        """Whether more than a few of the labels that are there change."""
        changed = self.moved + self.removed + self.restated
        return changed > FEW and changed > MUCH * self.compared

    def __str__(self) -> str:
        parts = []
        if self.placed:
            parts.append(f"{_points(self.placed)} set")
        if self.moved:
            how_far = f"median {self.median_px:.2f} px, largest {self.largest_px:.2f} px"
            parts.append(f"{_points(self.moved)} moved ({how_far})")
        if self.removed:
            parts.append(f"{_points(self.removed)} removed")
        if self.restated:
            parts.append(f"{_points(self.restated)} given another state")
        where = f" in {self.rows:,} image{'' if self.rows == 1 else 's'}"
        return ", ".join(parts) + where if parts else "nothing changes"


def _points(count: int) -> str:
    return f"{count:,} point{'' if count == 1 else 's'}"


def differences(
    now: Labels, points: Points, states: NDArray[np.uint8]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """``(N, K)`` which positions and which labels differ when ``points`` ``(N, K, 2)`` and
    ``states`` ``(N, K)`` take the place of the labels ``now``."""
    with np.errstate(invalid="ignore"):
        moved = np.asarray((np.abs(points - now.points) > SAME_PX).any(axis=2))
    return moved, np.asarray(moved | (states != now.states))


def changes(now: Labels, points: Points, states: NDArray[np.uint8]) -> Changes:
    """What changes when ``points`` and ``states`` take the place of ``now``; see
    ``differences``."""
    moved, different = differences(now, points, states)
    before, after = now.states >= State.OCCLUDED, states >= State.OCCLUDED
    distance = np.linalg.norm(points - now.points, axis=2)[moved].astype(np.float64)
    return Changes(
        rows=int(different.any(axis=1).sum()),
        compared=int(before.sum()),
        placed=int((after & ~before).sum()),
        moved=int(moved.sum()),
        removed=int((before & ~after).sum()),
        restated=int((different & (before == after) & ~moved).sum()),
        median_px=float(np.median(distance)) if len(distance) else 0.0,
        largest_px=float(distance.max()) if len(distance) else 0.0,
        explanation=explain(now.points, points, moved, now.schema),
    )


def explain(now: Points, then: Points, moved: NDArray[np.bool_], schema: KeypointSchema) -> str:
    """What would explain that the points ``moved`` ``(N, K)`` come from ``now`` to ``then``, both
    ``(N, K, 2)`` px, in a sentence; empty if nothing would."""
    if not moved.any():
        return ""
    rows = moved.any(axis=1)
    places = now[rows], then[rows], moved[rows]
    return (
        _permutation(*places, schema)
        or _whole_pixels(*places)
        or _shift(*places)
        or _scale(*places)
    )


def _permutation(
    now: Points, then: Points, moved: NDArray[np.bool_], schema: KeypointSchema
) -> str:
    order = best_order(_distances(now, then))
    others = order != np.arange(len(order))
    here = moved & others
    if not here.any():
        return ""
    as_named = np.linalg.norm(then - now, axis=2)[here]
    permuted = np.linalg.norm(then - now[:, order], axis=2)[here]
    known = np.isfinite(permuted)
    if not known.any() or np.median(permuted[known]) > _EXPLAINED * np.median(as_named):
        return ""
    return order_in_words(order, schema)


def _distances(now: Points, then: Points) -> NDArray[np.float64]:
    """``(K, K)`` median distance from where each point lies then to where each other lies now."""
    count = now.shape[1]
    found = np.full((count, count), _NOTHING)
    for k in range(count):
        away = np.linalg.norm(then[:, k, None] - now, axis=2)
        for j in np.flatnonzero(np.isfinite(away).any(axis=0)):
            found[k, j] = np.median(away[np.isfinite(away[:, j]), j])
    return found


def best_order(distances: NDArray[np.float64]) -> NDArray[np.intp]:
    """``(K,)`` for each point the one whose place it takes, so that the ``distances`` ``(K, K)``
    are smallest in all; a point that has no place keeps its own."""
    known = (distances < _NOTHING).any(axis=1) & (distances < _NOTHING).any(axis=0)
    at = np.flatnonzero(known)
    order = np.arange(len(distances))
    chosen, places = linear_sum_assignment(distances[np.ix_(at, at)])
    order[at[chosen]] = at[places]
    return order


def order_in_words(order: NDArray[np.intp], schema: KeypointSchema) -> str:
    """A sentence that says which points seem to have changed places."""
    others = np.flatnonzero(order != np.arange(len(order)))
    if (order[others] == schema.mirror_order[others]).all():
        return "Left and right seem to be exchanged in the files: left is the subject's left here."
    labels = [keypoint.label for keypoint in schema.keypoints]
    pairs = [f"what they call {labels[k]} lies at the {labels[order[k]]}" for k in others[:_SHOWN]]
    more = f", and {len(others) - _SHOWN} more" if len(others) > _SHOWN else ""
    return f"The files seem to have the points in another order: {', '.join(pairs)}{more}."


def _whole_pixels(now: Points, then: Points, moved: NDArray[np.bool_]) -> str:
    if not is_whole(then) or is_whole(now):
        return ""
    if np.median(np.abs(then - now)[moved]) > 1:
        return ""
    return (
        "Every coordinate in the files is a whole number: positions seem to be cut off or rounded "
        "to whole pixels."
    )


def is_whole(points: Points) -> bool:
    """Whether there are coordinates in ``points``, and all are whole numbers."""
    values = points[np.isfinite(points)]
    return bool(len(values)) and bool((values == np.rint(values)).all())


def _shift(now: Points, then: Points, moved: NDArray[np.bool_]) -> str:
    away = (then - now)[moved]
    typical = np.median(away, axis=0)
    rest = np.linalg.norm(away - typical, axis=1)
    if len(away) <= FEW or np.linalg.norm(typical) < _SHIFT_PX:
        return ""
    if np.quantile(rest, 0.9) > 0.1 * np.linalg.norm(typical):
        return ""
    x, y = typical
    return (
        f"The points lie {abs(x):.2f} px to the {'right' if x > 0 else 'left'} and {abs(y):.2f} px "
        f"{'down' if y > 0 else 'up'}, nearly all alike: the files may count pixels from elsewhere."
    )


def _scale(now: Points, then: Points, moved: NDArray[np.bool_]) -> str:
    before, after = now[moved].ravel(), then[moved].ravel()
    if len(before) <= 2 * FEW or not (before**2).sum() > 0:
        return ""
    factor = float((before * after).sum() / (before**2).sum())
    rest = np.abs(after - factor * before)
    if abs(factor - 1) < 0.02 or np.quantile(rest, 0.9) > 0.1 * np.median(np.abs(after - before)):
        return ""
    return (
        f"The coordinates in the files are {factor:.3g} times as large: they may be of images of "
        "another size."
    )


def unusual_order(points: Points, schema: KeypointSchema) -> str:
    """Whether ``points`` ``(N, K, 2)`` px, which nothing can be compared with, would lie like faces
    usually do if they were in another order: that in a sentence; empty if not."""
    if schema.typical is None or not np.isfinite(points).any():
        return ""
    typical = np.broadcast_to(np.array(schema.typical, np.float64), points.shape)
    distances = _distances(typical, points)
    order = best_order(distances)
    others = np.flatnonzero(order != np.arange(len(order)))
    others = others[distances[others, others] < _NOTHING]
    if not len(others):
        return ""
    as_named = distances[others, others].mean()
    permuted = distances[others, order[others]].mean()
    if as_named < _ODD * schema.width or permuted > 0.5 * as_named:
        return ""
    return order_in_words(order, schema)


_ODD = 0.08
"""Share of the image's width that points lie off their usual places at least where their order is
called into question."""
