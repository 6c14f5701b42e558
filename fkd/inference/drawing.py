"""Photos with boxes and points drawn on them, at their full resolution."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from fkd.inference.faces import Face

_SHIFT = 4
"""OpenCV takes positions in fractions of 2 ** -_SHIFT px."""
_WHITE, _BLACK = (255, 255, 255), (0, 0, 0)
_THICK = 1000
_RADIUS = 0.015
"""Radius of a ring by the side of the face's square, at a point size of 1."""


def annotated(
    color: NDArray[np.uint8],
    faces: Sequence[Face],
    *,
    boxes: bool = True,
    edges: bool = False,
    size: float = 1.0,
) -> NDArray[np.uint8]:
    """A copy of ``color`` ``(H, W, 3)`` (red, green, blue) with a ring for each point of ``faces``
    in the keypoint's colour; ``size`` scales the rings. A point without a place is not drawn, nor
    an edge to it."""
    canvas = np.ascontiguousarray(color).copy()
    for face in faces:
        _draw(canvas, face, boxes=boxes, edges=edges, size=size)
    return canvas


def _draw(canvas: NDArray[np.uint8], face: Face, *, boxes: bool, edges: bool, size: float) -> None:
    thin = min(max(1, round(face.frame.size / 250)), _THICK)
    if boxes:
        corners = _fixed(face.frame.corners())
        for paint, width in ((_BLACK, thin + 2), (_WHITE, thin)):
            cv2.polylines(canvas, [corners], True, paint, width, cv2.LINE_AA, _SHIFT)
    at = {int(k): tuple(_fixed(face.points[k]).tolist()) for k in np.flatnonzero(face.given)}
    colors = [tuple(bytes.fromhex(k.color[1:])) for k in face.schema.keypoints]
    if edges:
        for a, b in face.schema.edges:
            if a in at and b in at:
                cv2.line(canvas, at[a], at[b], colors[a], thin, cv2.LINE_AA, _SHIFT)
    radius = min(max(2.0, _RADIUS * size * face.frame.size), 1e5)
    for k, place in at.items():
        for ring, width in ((_WHITE, 3 * thin), (colors[k], thin + 1)):
            cv2.circle(canvas, place, round(radius * 2**_SHIFT), ring, width, cv2.LINE_AA, _SHIFT)


def _fixed(points: NDArray[np.float64]) -> NDArray[np.int32]:
    # Far outside of the photo OpenCV's arithmetic would overflow.
    return np.asarray(np.rint(np.clip(points, -1e6, 1e6) * 2**_SHIFT), np.int32)


def png(color: NDArray[np.uint8]) -> bytes:
    """``color`` ``(H, W, 3)``, red, green, blue, or grey ``(H, W)``, as the bytes of a PNG file."""
    image = cv2.cvtColor(color, cv2.COLOR_RGB2BGR) if color.ndim == 3 else color
    done, data = cv2.imencode(".png", image)
    if not done:
        raise ValueError(f"cannot encode a picture of shape {color.shape}")
    return data.tobytes()
