"""Pictures of the Correct page: the face under the marks, and a small drawn one that shows where a
point usually is."""

from __future__ import annotations

import base64
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from fkd.keypoints import KeypointSchema

Points = NDArray[np.floating]

_QUALITY = 95
"""Of a JPEG: no loss can be seen, and it takes a third of a PNG's bytes and a sixth of its time."""


def picture(image: NDArray[np.uint8], scale: int, *, smooth: bool) -> str:
    """``image`` ``(H, W)`` enlarged ``scale`` times, smoothly or as it is, as a data URL."""
    size = (image.shape[1] * scale, image.shape[0] * scale)
    if smooth:
        large = cv2.resize(image, size, interpolation=cv2.INTER_CUBIC)
        done, data = cv2.imencode(".jpg", large, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    else:
        large = cv2.resize(image, size, interpolation=cv2.INTER_NEAREST)
        done, data = cv2.imencode(".png", large)
    if not done:
        raise ValueError(f"cannot encode an image of shape {image.shape}")
    kind = "jpeg" if smooth else "png"
    return f"data:image/{kind};base64," + base64.b64encode(data.tobytes()).decode()


def reference_face(
    schema: KeypointSchema, mean: Points, target: int | None, placed: Sequence[int] = ()
) -> str:
    """A small drawn face with the points where they usually are, ``target`` marked and those
    ``placed`` filled, as a data URL. ``mean`` is ``(K, 2)`` px, NaN for one that is not known."""
    parts = [f'<rect width="{schema.width}" height="{schema.height}" rx="6" fill="#8884"/>']
    known = np.isfinite(mean).all(axis=1)
    parts += [
        _line(mean[a], mean[b], schema.keypoints[a].color, 0.8)
        for a, b in schema.edges
        if known[a] and known[b]
    ]
    for k in np.flatnonzero(known):
        x, y = mean[k]
        color = schema.keypoints[k].color
        if k == target:
            parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="7" fill="#ffe066" opacity=".75"/>')
        fill = color if k in placed or k == target else "none"
        parts.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{3.4 if k == target else 2.2}" fill="{fill}" '
            f'stroke="{color}" stroke-width="1"/>'
        )
    return _url(
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{2 * schema.width}" '
        f'height="{2 * schema.height}" viewBox="0 0 {schema.width} {schema.height}">'
        f"{''.join(parts)}</svg>"
    )


def _url(svg: str) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()


def _line(a: Points, b: Points, color: str, width: float) -> str:
    return (
        f'<line x1="{a[0]:.1f}" y1="{a[1]:.1f}" x2="{b[0]:.1f}" y2="{b[1]:.1f}" '
        f'stroke="{color}" stroke-width="{width:.2f}" stroke-linecap="round"/>'
    )
