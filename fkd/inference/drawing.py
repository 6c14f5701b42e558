"""Photos with boxes and points drawn on them, at their full resolution."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from fkd.inference.faces import Face

BOX = "#7fe0ff"
"""Colour of boxes: light, so that within a black line it stands out on every ground."""
_SHIFT = 4
"""OpenCV takes positions in fractions of 2 ** -_SHIFT px."""
_WHITE, _BLACK = (255, 255, 255), (0, 0, 0)
_RADIUS, _LINE = 0.0035, 0.0013
"""Radius of a point's ring and width of a line, by the longer side of the picture: looked at as a
whole, about 1,000 px wide, they are 3.5 and 1.3 px."""
_LEAST_RADIUS = 2.0


def annotated(
    color: NDArray[np.uint8],
    faces: Sequence[Face],
    *,
    boxes: bool = True,
    edges: bool = False,
) -> NDArray[np.uint8]:
    """A copy of ``color`` ``(H, W, 3)`` (red, green, blue) with a ring for each point of ``faces``
    in the keypoint's colour, as large on every picture as seen as a whole. A point without a place
    is not drawn, nor an edge to it."""
    canvas = np.ascontiguousarray(color).copy()
    for face in faces:
        _draw(canvas, face, boxes=boxes, edges=edges)
    return canvas


def _draw(canvas: NDArray[np.uint8], face: Face, *, boxes: bool, edges: bool) -> None:
    side = max(canvas.shape[:2])
    thin = max(1, round(_LINE * side))
    if boxes:
        corners = _fixed(face.frame.corners())
        for paint, width in ((_BLACK, thin + 2 * max(1, thin // 2)), (_rgb(BOX), thin)):
            cv2.polylines(canvas, [corners], True, paint, width, cv2.LINE_AA, _SHIFT)
    at = {int(k): tuple(_fixed(face.points[k]).tolist()) for k in np.flatnonzero(face.given)}
    colors = [_rgb(k.color) for k in face.schema.keypoints]
    if edges:
        for a, b in face.schema.edges:
            if a in at and b in at:
                cv2.line(canvas, at[a], at[b], colors[a], thin, cv2.LINE_AA, _SHIFT)
    radius = round(max(_LEAST_RADIUS, _RADIUS * side) * 2**_SHIFT)
    for k, place in at.items():
        # Black around white around the colour: seen on every ground.
        for paint, width in ((_BLACK, 3 * thin), (_WHITE, 2 * thin), (colors[k], thin)):
            cv2.circle(canvas, place, radius, paint, width, cv2.LINE_AA, _SHIFT)


def _rgb(color: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(color[1:]))


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
