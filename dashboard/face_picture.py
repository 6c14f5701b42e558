"""Faces as picture files: one enlarged for the screen, one annotated, many on a sheet."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import streamlit as st
from numpy.typing import NDArray

from dashboard.face_grid import Face
from dashboard.loaders import png_url
from dashboard.names import FONT, Name, name_places
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


_SHIFT = 4
"""OpenCV takes positions in fractions of 2 ** -_SHIFT px."""
_WHITE, _BLACK = (255, 255, 255), (0, 0, 0)
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_LETTERS = 1 / 36
"""Scale of OpenCV's font by the height in px that a name takes."""


def annotated_png(
    image: NDArray[np.uint8],
    schema: KeypointSchema,
    keypoints: NDArray[np.floating],
    predicted: NDArray[np.floating] | None = None,
    *,
    points: bool,
    edges: bool,
    names: bool,
    pixels: bool,
    mark_size: float,
) -> bytes:
    """The large face as it is on the screen before any zoom, as PNG bytes: 8 px for each of the
    image's.

    ``keypoints`` and ``predicted`` are ``(K, 2)`` px, NaN where there is none.
    """
    return _png(
        _annotated(
            image,
            schema,
            keypoints,
            predicted,
            points=points,
            edges=edges,
            names=names,
            pixels=pixels,
            mark_size=mark_size,
        )
    )


_TILE, _GAP, _CAPTION = 288, 8, 40
"""Of a sheet: px of a face, between faces, and of the two lines below each."""
_COLUMNS = 6
_PAPER, _INK = (255, 255, 255), (0, 0, 0)


def sheet_png(faces: Sequence[Face], schema: KeypointSchema) -> bytes:
    """``faces`` with their marks and captions on one picture, as PNG bytes; letters beyond ASCII,
    which OpenCV cannot write, become question marks."""
    columns = min(_COLUMNS, max(1, len(faces)))
    rows = -(-len(faces) // columns)
    wide, high = _TILE + _GAP, _TILE + _CAPTION + _GAP
    sheet = np.full((rows * high + _GAP, columns * wide + _GAP, 3), _PAPER, np.uint8)
    for number, face in enumerate(faces):
        top, left = (number // columns) * high + _GAP, (number % columns) * wide + _GAP
        nowhere = np.full((len(schema), 2), np.nan)
        drawn = _annotated(
            face.image,
            schema,
            nowhere if face.keypoints is None else face.keypoints,
            face.predicted,
            points=True,
            edges=False,
            names=False,
            pixels=False,
            mark_size=1.4,
        )
        tile = cv2.resize(drawn, (_TILE, _TILE), interpolation=cv2.INTER_AREA)
        sheet[top : top + _TILE, left : left + _TILE] = tile
        for line, text in enumerate((face.title, face.note)):
            written = text.replace("\u2192", "->").encode("ascii", "replace").decode()
            place = left, top + _TILE + 16 * (line + 1)
            cv2.putText(sheet, written, place, _FONT, 0.45, _INK, 1, cv2.LINE_AA)
    return _png(sheet)


def download_faces(faces: Sequence[Face], schema: KeypointSchema, name: str) -> None:
    """A button that downloads ``faces`` as the picture ``name``.png; nothing without any."""
    if not faces:
        return
    st.download_button(
        "PNG",
        lambda: sheet_png(faces, schema),
        file_name=f"{name}.png",
        mime="image/png",
        icon=":material/download:",
        key=f"download-{name}-png",
        type="tertiary",
        on_click="ignore",
        help="These faces with their marks as one picture",
    )


def _annotated(
    image: NDArray[np.uint8],
    schema: KeypointSchema,
    keypoints: NDArray[np.floating],
    predicted: NDArray[np.floating] | None,
    *,
    points: bool,
    edges: bool,
    names: bool,
    pixels: bool,
    mark_size: float,
) -> NDArray[np.uint8]:
    """``(8 H, 8 W, 3)`` BGR: what ``annotated_png`` gives."""
    canvas = cv2.cvtColor(_enlarged(image, smooth=not pixels), cv2.COLOR_GRAY2BGR)
    at = _places(keypoints)
    guessed = _places(predicted) if predicted is not None else {}
    colors = [tuple(int(k.color[i : i + 2], 16) for i in (5, 3, 1)) for k in schema.keypoints]
    radius = mark_size / 2 * _ENLARGE * (1 << _SHIFT)

    def line(start: tuple[int, int], end: tuple[int, int], color: tuple[int, ...], px: int) -> None:
        cv2.line(canvas, start, end, color, px, cv2.LINE_AA, _SHIFT)

    def circle(centre: tuple[int, int], size: float, color: tuple[int, ...], px: int) -> None:
        cv2.circle(canvas, centre, round(size), color, px, cv2.LINE_AA, _SHIFT)

    if edges:
        for a, b in schema.edges:
            if a in at and b in at:
                line(at[a], at[b], colors[a], 2)
    if points:
        for k in at.keys() & guessed.keys():
            line(at[k], guessed[k], _WHITE, 4)
            line(at[k], guessed[k], colors[k], 2)
        for k, place in at.items():
            circle(place, radius, colors[k], -1)
            circle(place, radius, _WHITE, 1)
    for k, place in guessed.items():
        circle(place, 1.35 * radius, _WHITE, 4)
        circle(place, 1.35 * radius, colors[k], 2)
    if names:
        _write_names(canvas, name_places(keypoints, schema, mark_size / 2), schema)
    return np.asarray(canvas, np.uint8)


def _png(picture: NDArray[np.uint8]) -> bytes:
    done, data = cv2.imencode(".png", picture)
    if not done:
        raise ValueError("cannot encode the picture")
    return data.tobytes()


def _write_names(
    canvas: NDArray[np.uint8], names: list[Name | None], schema: KeypointSchema
) -> None:
    """Write the names of the points, white with a dark rim, on the enlarged picture."""
    scale = _LETTERS * FONT * _ENLARGE
    for name, keypoint in zip(names, schema.keypoints, strict=True):
        if name is None:
            continue
        text = short_label(keypoint.label)
        (length, _), _ = cv2.getTextSize(text, _FONT, scale, 1)
        before = {"start": 0.0, "middle": 0.5, "end": 1.0}[name.anchor] * length
        place = round((name.x + 0.5) * _ENLARGE - before), round((name.y + 0.5) * _ENLARGE)
        for color, width in ((_BLACK, 3), (_WHITE, 1)):
            cv2.putText(canvas, text, place, _FONT, scale, color, width, cv2.LINE_AA)


def _places(points: NDArray[np.floating]) -> dict[int, tuple[int, int]]:
    """Where the points that are there lie on the enlarged picture, by index."""
    here = np.flatnonzero(np.isfinite(points).all(axis=1))
    # A pixel's centre is its index, so index p lies at (p + 0.5) s - 0.5 of the enlarged picture.
    places = np.rint(((points[here] + 0.5) * _ENLARGE - 0.5) * (1 << _SHIFT)).astype(int)
    return {int(k): (int(x), int(y)) for k, (x, y) in zip(here, places, strict=True)}
