"""Faces on a photo: OpenCV's frontal Haar cascade, upright first, then turned.

It is asked for more than there is (few neighbours, so that few faces are missed); what is no face
is left out afterwards, by what the keypoint model says of it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fkd.inference.frame import Frame

SEARCH_SIDES = (640, 1280)
"""Longer side in px at which a photo is searched: small first, as most faces are large."""
ANGLES = (-30.0, 30.0, -45.0, 45.0)
"""Degrees that a photo is turned by where no face stands upright; the cascade itself finds faces
up to about 15 degrees off."""
SMALLEST = 24
"""Smallest face in px of the photo as searched."""
MAX_FACES = 100
"""Most faces of one photo."""
MAX_FOUND = 3 * MAX_FACES
"""Most squares that may hold one, of one search: not all of them do."""

_NEIGHBOURS, _STEP = 3, 1.1
_BORDER = 0.1
"""Share of the photo that its border is continued by: faces may touch it."""

# On 150 crops of the real faces (which were cropped by such a detector) the cascade's box has its
# centre at (46.9, 47.3) of the crop's 96 px and is 93.7 px wide.
_SIZE, _RIGHT, _DOWN = 1.025, 0.006, 0.002


@dataclass(frozen=True)
class Found:
    """A face that may be one: its square, and how sure the cascade is (its stage weight)."""

    frame: Frame
    weight: float


def searches(gray: NDArray[np.uint8]) -> Iterator[list[Found]]:
    """What may be faces on ``gray`` ``(H, W)``, search after search, each only made when asked
    for: upright at each size of search, then turned. At most ``MAX_FOUND`` each, the largest
    first; of turned ones those that the cascade is surest of."""
    smaller = SEARCH_SIDES[0]
    for side in SEARCH_SIDES if max(gray.shape) > smaller else (smaller,):
        yield _search(gray, side, 0.0)
    turned = [one for angle in ANGLES for one in _search(gray, smaller, angle)]
    yield sorted(turned, key=lambda one: -one.weight)[:MAX_FOUND]


def _search(gray: NDArray[np.uint8], side: int, angle: float) -> list[Found]:
    """Faces turned by about ``angle`` clockwise, searched where the longer side has ``side`` px."""
    scale = min(1.0, side / max(gray.shape))
    small = gray
    if scale < 1:  # pixels are averaged, not picked
        small = np.asarray(cv2.resize(gray, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))
    upright, matrix = _turned_back(small, angle)
    boxes, _, weights = _cascade().detectMultiScale3(
        upright,
        scaleFactor=_STEP,
        minNeighbors=_NEIGHBOURS,
        minSize=(SMALLEST, SMALLEST),
        outputRejectLevels=True,
    )
    back = cv2.invertAffineTransform(matrix)
    factor = np.array(gray.shape[::-1]) / small.shape[::-1]
    found = []
    for (x, y, w, h), weight in zip(boxes, np.ravel(weights), strict=True):
        centre = np.array([x + (w - 1) / 2 + _RIGHT * w, y + (h - 1) / 2 + _DOWN * h])
        at = (back[:, :2] @ centre + back[:, 2] + 0.5) * factor - 0.5
        frame = Frame(float(at[0]), float(at[1]), float(_SIZE * w * factor[0]), angle)
        found.append(Found(frame, float(weight)))
    return sorted(found, key=lambda one: -one.frame.size)[:MAX_FOUND]


def _turned_back(
    small: NDArray[np.uint8], angle: float
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """``small`` turned by ``angle`` against the clock, its border continued, and the matrix that
    maps its points."""
    height, width = small.shape
    middle = ((width - 1) / 2, (height - 1) / 2)
    matrix = np.asarray(cv2.getRotationMatrix2D(middle, angle, 1), np.float64)
    border = 2 * _BORDER * max(width, height)
    size = np.ceil(np.abs(matrix[:, :2]) @ (width + border, height + border)).astype(int)
    matrix[:, 2] += (size - (width, height)) / 2
    turned = cv2.warpAffine(small, matrix, size.tolist(), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(turned, np.uint8), matrix


def apart(found: list[Found]) -> list[Found]:
    """Those of ``found``, the better ones first, whose centres do not lie within another face."""
    kept: list[Found] = []
    for one in found:
        near = (
            np.hypot(one.frame.x - other.frame.x, one.frame.y - other.frame.y)
            < 0.5 * max(one.frame.size, other.frame.size)
            for other in kept
        )
        if not any(near):
            kept.append(one)
    return kept[:MAX_FACES]


_FILE = Path(cv2.__file__).parent / "data" / "haarcascade_frontalface_default.xml"
_local = threading.local()


def _cascade() -> cv2.CascadeClassifier:
    """One for each thread: a cascade must not be shared."""
    if not hasattr(_local, "cascade"):
        _local.cascade = cv2.CascadeClassifier(str(_FILE))
    found: cv2.CascadeClassifier = _local.cascade
    return found
