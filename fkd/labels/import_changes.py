"""What labels read from files would change, and whether something other than corrections explains
it: points in another order, left and right exchanged, positions rounded, shifted or scaled. Where
there is nothing to compare with, points are held against where faces usually have them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment  # type: ignore[import-untyped]

from fkd.keypoints import KeypointSchema
from fkd.labels.states import Labels, State
from fkd.progress import Progress, silent
from fkd.words import counted, listed

SAME_PX = 1e-3
"""Positions that lie so close are the same: other tools round to three decimals."""

_ROUNDED = (0.1, 0.01)
"""Steps in px to which tools round positions."""
_ROUNDED_SHARES = (1e-3, 1e-4)
"""The same for formats that give positions as shares of the image."""

MUCH = 0.1
"""Share of the labels that an import may change before somebody has to agree."""
FEW = 3
"""So many labels may change whatever their share."""

_EXPLAINED = 0.25
"""A permutation explains moves of which it leaves less than this share of the distance."""
_NEARLY_ALL = 0.5
"""Share of the labels compared that a shift or scale has to move to be one."""
_SHIFT_PX = 0.25
_SAME_FACE_PX = 0.25
_MOST_COMPARED = 2_000
"""Images whose labels are looked for among those of the others."""
_ODD = 0.08
"""Share of the image's width that points lie off their usual places at least where their order is
called into question."""
_SMALLEST = 0.55
"""How much smaller than usual a set of faces may be; its inverse, how much larger."""
_FARTHEST = 0.25
"""Share of the image's width that the middle of the faces may lie off the usual one."""
_SHOWN = 4
_NOTHING = 1e6
_WHOLE = (
    "Every coordinate in the files is a whole number: positions seem to be cut off or rounded to "
    "whole pixels."
)

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
        odd: what is odd about points that get a position, a sentence each; see ``oddities``.
        different: ``(N, K)`` bool, which labels change.
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
    odd: tuple[str, ...]
    different: NDArray[np.bool_] = field(compare=False, repr=False)

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
            parts.append(f"{counted(self.placed, 'point')} set")
        if self.moved:
            how_far = f"median {self.median_px:.2f} px, largest {self.largest_px:.2f} px"
            parts.append(f"{counted(self.moved, 'point')} moved ({how_far})")
        if self.removed:
            parts.append(f"{counted(self.removed, 'point')} removed")
        if self.restated:
            parts.append(f"{counted(self.restated, 'point')} given another state")
        where = f" in {counted(self.rows, 'image')}"
        return ", ".join(parts) + where if parts else "nothing changes"


def rounding(points: Points, schema: KeypointSchema) -> float:
    """The step in px to which all coordinates of ``points`` ``(N, K, 2)`` are rounded, in px or in
    shares of the image; 0 where it is finer than ``SAME_PX``, or whole pixels, or there are too few
    to tell."""
    values = points[np.isfinite(points).all(axis=-1)].astype(np.float64)
    if values.size <= 2 * FEW or is_whole(points):
        return 0.0
    shares = (values + 0.5) / (schema.width, schema.height)
    side = max(schema.width, schema.height)
    # float32 holds positions to a few millionths of a pixel.
    for step in _ROUNDED:
        if np.abs(values / step - np.rint(values / step)).max() * step < 1e-5:
            return step
    for step in _ROUNDED_SHARES:
        if np.abs(shares / step - np.rint(shares / step)).max() * step * side < 1e-5:
            return step * side
    return 0.0


def differences(
    now: Labels, points: Points, states: NDArray[np.uint8], step: float
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """``(N, K)`` which positions and which labels differ when ``points`` ``(N, K, 2)`` and
    ``states`` ``(N, K)`` take the place of the labels ``now``. Where the files round all positions,
    to ``step`` px (see ``rounding``), those that come out alike do not differ."""
    same = SAME_PX + step / 2
    with np.errstate(invalid="ignore"):
        moved = np.asarray((np.abs(points - now.points) > same).any(axis=2))
    return moved, np.asarray(moved | (states != now.states))


def changes(
    now: Labels,
    points: Points,
    states: NDArray[np.uint8],
    step: float,
    progress: Progress = silent,
) -> Changes:
    """What changes when ``points`` and ``states`` take the place of ``now``; see
    ``differences``."""
    moved, different = differences(now, points, states, step)
    before, after = now.states >= State.OCCLUDED, states >= State.OCCLUDED
    placed = after & ~before
    distance = np.linalg.norm(points - now.points, axis=2)[moved].astype(np.float64)
    return Changes(
        rows=int(different.any(axis=1).sum()),
        compared=int(before.sum()),
        placed=int(placed.sum()),
        moved=int(moved.sum()),
        removed=int((before & ~after).sum()),
        restated=int((different & (before == after) & ~moved).sum()),
        median_px=float(np.median(distance)) if len(distance) else 0.0,
        largest_px=float(distance.max()) if len(distance) else 0.0,
        explanation=explain(now.points, points, moved, now.schema, progress),
        odd=_odd_where(now.points, points, placed, now.schema),
        different=different,
    )


def _odd_where(
    now: Points, points: Points, placed: NDArray[np.bool_], schema: KeypointSchema
) -> tuple[str, ...]:
    """What is odd about the points ``placed`` ``(N, K)``, seen among the others of their faces,
    which are ``now`` and stay."""
    if placed.sum() <= FEW:
        return ()
    rows = placed.any(axis=1)
    here = placed[rows]
    alone = np.where(here[..., None], points[rows], np.nan)
    found = oddities(alone, schema)
    if not found:
        asked = np.asarray(here.any(axis=0))
        beside = _beside_others(now[rows], alone, schema)
        found = tuple(s for s in (unusual_order(points[rows], schema, asked), beside) if s)
    return found


def _beside_others(now: Points, new: Points, schema: KeypointSchema) -> str:
    """Whether points ``new`` ``(N, K, 2)`` lie off, or are smaller or larger, than the points that
    their faces have ``now`` lead one to expect; in a sentence, empty if not. Of 906 real faces with
    four points the other eleven lie up to 0.073 of the image's width off together, and up to a
    third apart in size; the medians of several faces much less."""
    if schema.typical is None:
        return ""
    typical = np.array(schema.typical) @ np.array([1, 1j])
    offsets, sizes = [], []
    for before, face in zip(now @ np.array([1, 1j]), new @ np.array([1, 1j]), strict=True):
        known, placed = np.isfinite(before), np.isfinite(face)
        if known.sum() < 2 or placed.sum() < 3 or np.ptp(abs(typical[known])) < 1:
            continue
        turn, shift = _similarity(typical[known], before[known])
        expected = turn * typical[placed] + shift
        away = face[placed] - expected
        offsets.append((np.median(away.real), np.median(away.imag)))
        sizes.append(abs(_similarity(expected, face[placed])[0]))
    if not offsets:
        return ""
    scatter = np.sqrt(len(offsets))
    x, y = np.median(offsets, axis=0)
    size = float(np.median(sizes))
    others = "the other points of their faces suggest"
    if abs(size - 1) > max(0.08, 0.35 / scatter):
        return (
            f"The new points lie {size:.2f} times as far apart as {others}: they may be from "
            "images of another size."
        )
    if np.hypot(x, y) > max(0.02, 0.073 / scatter) * schema.width:
        return f"The new points lie {in_directions(x, y)} from where {others}."
    return ""


def _similarity(
    one: NDArray[np.complexfloating], other: NDArray[np.complexfloating]
) -> tuple[complex, complex]:
    """The turn and size, and the shift, that bring points ``one`` closest to ``other``."""
    a, b = one - one.mean(), other - other.mean()
    turn = complex((b * a.conj()).sum() / max((abs(a) ** 2).sum(), 1e-9))
    return turn, complex(other.mean() - turn * one.mean())


def in_directions(x: float, y: float) -> str:
    """``1.00 px to the right and 2.00 px up``."""
    across, along = ("right" if x > 0 else "left"), ("down" if y > 0 else "up")
    return f"{abs(x):.2f} px to the {across} and {abs(y):.2f} px {along}"


def _exchanged(now: Points, then: Points, moved: NDArray[np.bool_], progress: Progress) -> str:
    """Whether images get the labels that others have now; in a sentence, empty if not."""
    rows = np.flatnonzero(moved.sum(axis=1) > FEW)[:_MOST_COMPARED]
    before, after = now[rows], then[rows]
    count = 0
    for i in range(len(rows)):
        progress("comparing the images", i, len(rows))
        away = np.sort(np.linalg.norm(before - after[i], axis=2), axis=1)  # NaN comes last
        known = np.isfinite(away).sum(axis=1)
        near = away[np.arange(len(away)), np.maximum(known - 1, 0) // 2]  # the lower median
        near[known <= FEW] = np.inf
        near[i] = np.inf
        count += bool(near.min() < _SAME_FACE_PX)
    if count < 2:
        return ""
    return f"{count:,} images would get the labels that others have now: rows seem to be swapped."


def explain(
    now: Points,
    then: Points,
    moved: NDArray[np.bool_],
    schema: KeypointSchema,
    progress: Progress = silent,
) -> str:
    """What would explain that the points ``moved`` ``(N, K)`` come from ``now`` to ``then``, both
    ``(N, K, 2)`` px, in a sentence; empty if nothing would. ``progress`` may stop it."""
    if not moved.any():
        return ""
    compared = np.isfinite(now).all(axis=2) & np.isfinite(then).all(axis=2)
    most = moved.sum() > _NEARLY_ALL * compared.sum()
    rows = moved.any(axis=1)
    places = now[rows], then[rows], moved[rows]
    return (
        _permutation(*places, schema)
        or _whole_pixels(*places)
        or (_shift(*places) if most else "")
        or (_scale(*places) if most else "")
        or _exchanged(*places, progress)  # last: it takes seconds
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
    if unusual_order(now, schema) and not unusual_order(then, schema):
        return ""  # the labels were wrong, and the files put them right
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
        return "Left and right seem to be swapped in the files: left is the subject's left here."
    labels = [keypoint.label for keypoint in schema.keypoints]
    pairs = (f"what they call {labels[k]} lies at {labels[order[k]]}" for k in others)
    return f"The files seem to have the points in another order: {listed(pairs, _SHOWN)}."


def _whole_pixels(now: Points, then: Points, moved: NDArray[np.bool_]) -> str:
    if not is_whole(then) or is_whole(now):
        return ""
    if np.median(np.abs(then - now)[moved]) > 1:
        return ""
    return _WHOLE


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
    return (
        f"Nearly all points are shifted alike, {in_directions(*typical)}: the files may count "
        "pixels from another origin."
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
        f"The coordinates in the files are {factor:.3g} times as large: they may be from images "
        "of another size."
    )


def oddities(points: Points, schema: KeypointSchema) -> tuple[str, ...]:
    """What is odd about ``points`` ``(N, K, 2)`` px that nothing can be compared with, a sentence
    each: their order, their size or place, points of a face on one spot, whole numbers."""
    whole = is_whole(points)
    found = [coincident(points)]
    if found[0]:
        points = np.where(_thrice(points)[..., None], np.nan, points)
    found.append(unusual_size(points, schema))
    if not found[1]:
        found.append(unusual_order(points, schema))
    if whole:
        found.append(_WHOLE)
    return tuple(sentence for sentence in found if sentence)


def coincident(points: Points) -> str:
    """Whether points of a face lie on exactly one spot, as nothing but a tool's way to write
    missing ones does; in a sentence, empty if not."""
    here = _thrice(points)
    if not here.any():
        return ""
    count = here.sum()
    x, y = points[here][0]
    return (
        f"{count:,} points share their position with others of their face, such as {x:.6g}, "
        f"{y:.6g} px: that seems to be how missing points are written."
    )


def _thrice(points: Points) -> NDArray[np.bool_]:
    """Which of ``(N, K, 2)`` points lie where two others of their face lie too."""
    places = points[..., 0] + 1j * points[..., 1]
    found = np.zeros(places.shape, np.bool_)
    ordered = np.sort(places, axis=1)  # NaN comes last
    with np.errstate(invalid="ignore"):
        some = (ordered[:, :-2] == ordered[:, 2:]).any(axis=1)
    for i in np.flatnonzero(some):
        found[i] = (places[i][:, None] == places[i]).sum(axis=1) > 2
    return found


def unusual_size(points: Points, schema: KeypointSchema) -> str:
    """Whether the faces of ``points`` ``(N, K, 2)`` px are far smaller or larger than usual, or lie
    far from where they usually do; in a sentence, empty if not."""
    if schema.typical is None:
        return ""
    here = np.isfinite(points).all(axis=2).any(axis=0)
    if here.sum() < 2:
        return ""
    typical = np.array(schema.typical)[here]
    middle = np.array([np.nanmedian(points[:, k], axis=0) for k in np.flatnonzero(here)])
    usual, found = (np.linalg.norm(p - p.mean(axis=0), axis=1).mean() for p in (typical, middle))
    away = np.linalg.norm(middle.mean(axis=0) - typical.mean(axis=0))
    if _SMALLEST < found / max(usual, 1e-9) < 1 / _SMALLEST and away < _FARTHEST * schema.width:
        return ""
    low, high = np.nanmin(points), np.nanmax(points)
    return (
        f"The points do not lie where faces do in images of {schema.width} x {schema.height} px: "
        f"coordinates range from {low:.3g} to {high:.3g}; they may be fractions, or px of images "
        "of another size."
    )


def unusual_order(
    points: Points, schema: KeypointSchema, asked: NDArray[np.bool_] | None = None
) -> str:
    """Whether ``points`` ``(N, K, 2)`` px would lie like faces usually do if they were in another
    order: that in a sentence; empty if not. With ``asked`` ``(K,)``, only if some of those
    keypoints change places."""
    if schema.typical is None or not np.isfinite(points).any():
        return ""
    typical = np.broadcast_to(np.array(schema.typical, np.float64), points.shape)
    distances = _distances(typical, points)
    order = best_order(distances)
    others = np.flatnonzero(order != np.arange(len(order)))
    others = others[distances[others, others] < _NOTHING]
    if not len(others) or (asked is not None and not asked[others].any()):
        return ""
    as_named = distances[others, others].mean()
    permuted = distances[others, order[others]].mean()
    if as_named < _ODD * schema.width or permuted > 0.5 * as_named:
        return ""
    return order_in_words(order, schema)
