"""A face as a picture file: enlarged for the screen, annotated for download."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from dashboard.loaders import png_url
from dashboard.words import short_label
from fkd.keypoints import KeypointSchema

_ENLARGE = 8
"""Device pixels per image pixel: the browser then never shows its own interpolation."""


def _enlarged(image: NDArray[np.uint8], *, smooth: bool) -> NDArray[np.uint8]:
    size = (image.shape[1] * _ENLARGE, image.shape[0] * _ENLARGE)
    how = cv2.INTER_CUBIC if smooth else cv2.INTER_NEAREST
    return np.asarray(cv2.resize(np.asarray(image), size, interpolation=how), np.uint8)


def enlarged_url(image: NDArray[np.uint8], *, smooth: bool) -> str:
    """``image`` ``(H, W)``, enlarged smoothly or as it is, as a PNG in a data URL."""
    return png_url(_enlarged(image, smooth=smooth))


def annotated_png(
    image: NDArray[np.uint8],
    schema: KeypointSchema,
    keypoints: NDArray[np.float32],
    *,
    points: bool,
    edges: bool,
    names: bool,
    pixels: bool,
    mark_size: float,
) -> bytes:
    """The large face as it is on the screen, as PNG bytes: 8 px for each of the image's."""
    shift = 4  # cv2 takes positions in 1/16 px
    canvas = cv2.cvtColor(_enlarged(image, smooth=not pixels), cv2.COLOR_GRAY2BGR)
    here = np.flatnonzero(np.isfinite(keypoints).all(axis=1))
    # A pixel's centre is its index, so index p lies at (p + 0.5) s - 0.5 of the enlarged picture.
    places = np.zeros((len(schema), 2), int)
    places[here] = np.rint(((keypoints[here] + 0.5) * _ENLARGE - 0.5) * (1 << shift))
    at = [(int(x), int(y)) for x, y in places]
    colors = [tuple(int(k.color[i : i + 2], 16) for i in (5, 3, 1)) for k in schema.keypoints]
    if edges:
        for a, b in schema.edges:
            if a in here and b in here:
                cv2.line(canvas, at[a], at[b], colors[a], 2, cv2.LINE_AA, shift)
    radius = round(mark_size / 2 * _ENLARGE * (1 << shift))
    for k in here:
        if points:
            cv2.circle(canvas, at[k], radius, colors[k], -1, cv2.LINE_AA, shift)
            cv2.circle(canvas, at[k], radius, (255, 255, 255), 1, cv2.LINE_AA, shift)
        if names:
            place = (at[k][0] // (1 << shift) + _ENLARGE, at[k][1] // (1 << shift) + 4)
            text = short_label(schema.keypoints[k].label)
            for color, width in (((0, 0, 0), 3), ((255, 255, 255), 1)):
                font = cv2.FONT_HERSHEY_SIMPLEX
                cv2.putText(canvas, text, place, font, 0.42, color, width, cv2.LINE_AA)
    done, data = cv2.imencode(".png", canvas)
    if not done:
        raise ValueError("cannot encode the picture")
    return data.tobytes()
