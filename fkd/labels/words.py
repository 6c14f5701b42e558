"""Why a label is suspicious, in plain words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fkd.keypoints import KeypointSchema
from fkd.labels.hypotheses import Judged

_LISTED = 4
"""Points named at most; of more, how many they are."""


def direction(shift: NDArray[np.floating]) -> str:
    """A move ``(2,)`` in px as seen on the picture: "3.1 px left and 0.4 px down"."""
    x, y = shift
    parts = [
        f"{abs(value):.1f} px {word}"
        for value, word in ((x, "right" if x > 0 else "left"), (y, "down" if y > 0 else "up"))
        if abs(value) >= 0.05
    ]
    return " and ".join(parts) or "0 px"


def names(points: Sequence[int] | NDArray[np.intp], schema: KeypointSchema) -> str:
    """Points in words: their names, or how many they are."""
    if len(points) > _LISTED:
        return f"{len(points)} points"
    words = [schema.keypoints[k].label for k in points]
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def wrong(
    reason: str, judged: Judged, i: int, points: NDArray[np.floating], schema: KeypointSchema
) -> str:
    """What is wrong with face ``i`` of ``judged``, whose labels are ``points`` ``(K, 2)``."""
    columns = np.flatnonzero(judged.keypoints[i])
    if reason == "swap":
        pairs = sum(bool(judged.keypoints[i, a]) for a, _ in schema.mirror_pairs)
        which = names(columns, schema) if pairs <= _LISTED // 2 else f"all of {pairs} pairs"
        return f"left and right are exchanged: {which}"
    if reason == "shift":
        every = len(columns) == np.isfinite(points).all(axis=1).sum()
        which = "all points" if every else f"{len(columns)} points that were compared"
        return f"{which} lie {direction(judged.shift[i])} of where they are expected"
    far = np.linalg.norm(points[columns] - judged.fix[i, columns], axis=1)
    if len(columns) == 1:
        moved = direction(points[columns[0]] - judged.fix[i, columns[0]])
        return f"{names(columns, schema)} lies {moved} of where it is expected"
    return (
        f"{names(columns, schema)} lie {far.mean():.1f} px on average from where they are expected"
    )


def duplicates(points: NDArray[np.floating], other: NDArray[np.floating], row: int) -> str:
    """How far the labels ``points`` ``(K, 2)`` lie from those of a duplicate, ``other``."""
    far = np.linalg.norm(points - other, axis=1)
    far = far[np.isfinite(far)]
    return (
        f"the same picture is row {row}, whose labels lie {far.mean():.1f} px apart on average, "
        f"{far.max():.1f} px at most"
    )


def missing(columns: NDArray[np.intp], sure: NDArray[np.floating], schema: KeypointSchema) -> str:
    """Points that could be added, and how ``sure`` ``(K,)`` the model is."""
    return f"could be added: {names(columns, schema)}, {sure[columns].mean():.0%} sure on average"


def unsure(expected: float, usual: float) -> str:
    """What error is expected, px, and what is usual."""
    return f"the model expects to be {expected:.1f} px off; {usual:.1f} px is usual"
