"""Where the names of points go on a large face, on the screen as in a picture of it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dashboard.words import short_label
from fkd.keypoints import KeypointSchema

# In heights of the font: the mean width of a letter, how far a name reaches above and below the
# line it stands on, and the space between two names.
_LETTER, _RISE, _DROP, _SPACE = 0.53, 0.75, 0.2, 0.3

FONT = 2.3
"""Height of the font on a large face, in px of the image: on a small one no name can be read."""

Boxes = NDArray[np.float64]
"""``(n, 4)``: left, top, right and bottom in px of the image."""


class Name(NamedTuple):
    """A name beside its point: ``x``, ``y`` px of the image is its left end (``start``), middle
    (``middle``) or right end (``end``), on the line that the letters stand on."""

    x: float
    y: float
    anchor: str


def name_places(
    points: NDArray[np.floating], schema: KeypointSchema, radius: float, font: float = FONT
) -> list[Name | None]:
    """The place of each point's name, None where there is no point.

    A name stands beside, above or below its point: where it covers least of the other points and
    of the names placed before it, inside the image, and rather away from the middle of the face.

    ``points`` is ``(K, 2)`` px, NaN = missing; ``radius`` of a dot and height of the ``font`` are
    in px of the image.
    """
    at = np.asarray(points, np.float64)
    here = np.flatnonzero(np.isfinite(at).all(axis=1))
    names: list[Name | None] = [None] * len(at)
    if not len(here):
        return names
    middle = at[here].mean(axis=0)
    boxes = {k: np.concatenate([at[k] - radius, at[k] + radius]) for k in here}
    # Those far out go first: they have the least room.
    for k in here[np.argsort(-np.abs(at[here, 0] - middle[0]), kind="stable")]:
        length = _LETTER * font * len(short_label(schema.keypoints[k].label))
        choices = _choices(at[k], at[k] - middle, radius + 0.2 * font, font)
        around = np.array([_box(name, length, font) for name in choices])
        taken = np.array([box for other, box in boxes.items() if other != k]).reshape(-1, 4)
        cost = _covered(around, taken) + 4 * _outside(around, schema)
        # Of places that are about as good, the first.
        best = int(np.argmin(cost + 0.02 * font * length * np.arange(len(choices))))
        names[k] = choices[best]
        boxes[len(at) + k] = around[best]
    return names


def _choices(
    at: NDArray[np.float64], out: NDArray[np.float64], gap: float, font: float
) -> list[Name]:
    """The places for a name, best ones first; ``out`` leads away from the middle of the face."""
    x, y = at
    beside = [Name(x + gap, y + 0.27 * font, "start"), Name(x - gap, y + 0.27 * font, "end")]
    above, below = (
        [Name(x, line, "middle"), Name(x, line, "start"), Name(x, line, "end")]
        for line in (y - gap, y + gap + _RISE * font)
    )
    if out[0] < 0:
        beside.reverse()
    near, far = (above, below) if out[1] <= 0 else (below, above)
    if abs(out[0]) >= abs(out[1]):
        return [beside[0], *near, *far, beside[1]]
    return [near[0], beside[0], *near[1:], beside[1], *far]


def _box(name: Name, length: float, font: float) -> tuple[float, float, float, float]:
    left = name.x - length * {"start": 0.0, "middle": 0.5, "end": 1.0}[name.anchor]
    right = left + length + _SPACE * font
    return left - _SPACE * font, name.y - _RISE * font, right, name.y + _DROP * font


def _covered(boxes: Boxes, taken: Boxes) -> NDArray[np.float64]:
    """How much of the ``taken`` boxes each of ``boxes`` covers, in square px."""
    low = np.maximum(boxes[:, None, :2], taken[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], taken[None, :, 2:])
    covered: NDArray[np.float64] = np.prod(np.clip(high - low, 0, None), axis=2).sum(axis=1)
    return covered


def _outside(boxes: Boxes, schema: KeypointSchema) -> NDArray[np.float64]:
    """How much of each box lies outside the image, in square px."""
    image = np.array([[-0.5, -0.5, schema.width - 0.5, schema.height - 0.5]])
    return np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) - _covered(boxes, image)
