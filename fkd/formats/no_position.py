"""Positions that stand for none: many tools write points that are missing as 0, 0 or -1, -1."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Place(NamedTuple):
    """``at``: x and y of a position that stands for none, as a number in a file. ``beside``: how x
    of a point that does lie there is written, a number that 32 bits cannot tell from it."""

    at: float
    beside: str


PLACES = (Place(0.0, "1e-60"), Place(-1.0, "-1.0000000001"))


def lie_at(place: Place, positions: NDArray[np.floating]) -> NDArray[np.bool_]:
    """``(...)`` which of ``(..., 2)`` positions lie exactly at ``place``."""
    return np.asarray((positions == place.at).all(axis=-1))


def stand_for_none(positions: NDArray[np.floating]) -> NDArray[np.bool_]:
    """``(...)`` which of ``(..., 2)`` positions, as they stand in a file, stand for none."""
    return np.asarray(np.any([lie_at(place, positions) for place in PLACES], axis=0))


def written(x: str, y: str) -> tuple[str, str]:
    """The numbers ``x`` and ``y`` of a point as they are to be written: not to stand for none."""
    for place in PLACES:
        if float(x) == float(y) == place.at:
            return place.beside, y
    return x, y
