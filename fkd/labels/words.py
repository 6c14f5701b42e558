"""Why a label is suspicious, in plain words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fkd.keypoints import KeypointSchema
from fkd.labels.hypotheses import Judged

_LISTED = 4
"""Points named at most; of more, how many they are."""


def place(shift: NDArray[np.floating], of: str) -> str:
    """Where something ``shift`` ``(2,)`` px from ``of`` lies, as seen on the picture: "52 px left
    of and 45 px above the prediction"."""
    x, y = shift
    sides = ((x, "right of" if x > 0 else "left of"), (y, "below" if y > 0 else "above"))
    parts = [f"{pixels(abs(value))} {word}" for value, word in sides if abs(value) >= 0.05]
    return f"{' and '.join(parts) or 'on'} {of}"


def pixels(value: float) -> str:
    """A distance: to a tenth where it is short."""
    return f"{value:.1f} px" if value < 9.95 else f"{value:,.0f} px"


def names(points: Sequence[int] | NDArray[np.intp], schema: KeypointSchema) -> str:
    """Points in words: their names, or how many they are."""
    if len(points) > _LISTED:
        return f"{len(points)} points"
    words = [schema.keypoints[k].label for k in points]
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def wrong(
    reason: str,
    judged: Judged,
    i: int,
    points: NDArray[np.floating],
    schema: KeypointSchema,
    predicted: NDArray[np.floating] | None = None,
) -> str:
    """What is wrong with face ``i`` of ``judged``, whose labels are ``points`` ``(K, 2)``, beside
    what a model ``predicted`` ``(K, 2)``; None where none was asked."""
    columns = np.flatnonzero(judged.keypoints[i])
    if reason == "swap":
        return f"left and right are swapped: {_pairs(judged.keypoints[i], points, schema)}"
    expected = judged.fix[i] if predicted is None else predicted
    one, many = ("the usual place", "the usual places")
    if predicted is not None:
        one, many = ("the prediction", "the predictions")
    away = (points - expected)[columns]
    if reason == "shift":
        every = len(columns) == np.isfinite(points).all(axis=1).sum()
        which = "all points" if every else f"{len(columns)} points that were compared"
        return f"{which} lie {place(np.median(away, axis=0), many)}"
    if len(columns) == 1:
        return f"{names(columns, schema)} lies {place(away[0], one)}"
    far = pixels(float(np.linalg.norm(away, axis=1).mean()))
    return f"{names(columns, schema)} lie {far} from {many} on average"


def _pairs(chosen: NDArray[np.bool_], points: NDArray[np.floating], schema: KeypointSchema) -> str:
    """The mirror pairs of the points ``chosen`` ``(K,)``: by name if they are few."""
    here = np.isfinite(points).all(axis=1)
    labelled = sum(bool(here[a] or here[b]) for a, b in schema.mirror_pairs)
    pairs = sum(bool(chosen[a]) for a, _ in schema.mirror_pairs)
    if 2 * pairs <= _LISTED:
        return names(np.flatnonzero(chosen), schema)
    return f"all {pairs} pairs" if pairs == labelled else f"{pairs} of {labelled} pairs"


def duplicates(points: NDArray[np.floating], other: NDArray[np.floating], row: int) -> str:
    """How far the labels ``points`` ``(K, 2)`` lie from those of a duplicate, ``other``."""
    far = np.linalg.norm(points - other, axis=1)
    far = far[np.isfinite(far)]
    return (
        f"row {row} shows the same picture, and its labels lie {pixels(float(far.mean()))} away "
        f"on average, {pixels(float(far.max()))} at most"
    )


def missing(columns: NDArray[np.intp], sure: NDArray[np.floating], schema: KeypointSchema) -> str:
    """Points that could be added, and how ``sure`` ``(K,)`` the model is."""
    share = f"{sure[columns].mean():.0%}"
    if len(columns) == 1:
        return f"{names(columns, schema)} is missing, and the model is {share} sure of its place"
    return (
        f"{names(columns, schema)} are missing, and the model is {share} sure of their places on "
        "average"
    )


def unsure(expected: float, usual: float) -> str:
    """What error is expected, px, and what is usual."""
    return f"the model expects an error of {expected:.1f} px; {usual:.1f} px is usual for it"
