"""A photo with its faces: squares, points, names on hover, zoom; boxes drawn by hand."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence

import cv2
import numpy as np
import streamlit as st
from numpy.typing import NDArray
from streamlit.components.v2 import component

from dashboard.face_grid import EDGES, MARK_STYLE, MARKS, POINTS, ZOOM, source
from dashboard.words import short_label
from fkd.inference.faces import Face

_view = component(
    "fkd_photo_view",
    html='<div class="frame"><div class="view"></div><div class="tip" hidden></div></div>',
    css=MARK_STYLE + source("photo_view.css"),
    js=MARKS + ZOOM + source("photo_view.js"),
)

SHOWN_SIDE = 1600
"""Longer side in px of the picture that the browser gets; points keep the photo's own px."""
TALL = 640
"""Height on the screen, in CSS px, that a photo gets at most."""

Box = tuple[float, float, float, float]
"""x, y, width and height in px of the photo."""

BOXES = "boxes"
"""What can be shown beside ``POINTS`` and ``EDGES``."""


def shown_url(color: NDArray[np.uint8]) -> str:
    """``color`` ``(H, W, 3)`` at the size that is shown, as a data URL."""
    scale = SHOWN_SIDE / max(color.shape[:2])
    if scale < 1:
        color = np.asarray(
            cv2.resize(color, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8
        )
    done, data = cv2.imencode(
        ".jpg", cv2.cvtColor(color, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 90]
    )
    if not done:
        raise ValueError(f"cannot encode a picture of shape {color.shape}")
    return "data:image/jpeg;base64," + base64.b64encode(data.tobytes()).decode()


def photo_view(
    id: str,
    url: str,
    size: tuple[int, int],
    faces: Sequence[Face],
    key: str,
    *,
    show: Sequence[str],
    mark_size: float,
    draw: Callable[[Box], None] | None = None,
) -> None:
    """Draw the photo ``id``, ``size`` (width, height) px, whose picture is ``url``. Points without
    a place are not drawn. ``mark_size`` scales the rings. With ``draw``, dragging draws a box, and
    it is called with that."""
    width, height = size
    several = len(faces) > 1
    points, remarks, edges = [], [], []
    places: list[list[float] | None] = []
    for number, face in enumerate(faces, 1):
        first = len(points)
        edges += [(first + a, first + b) for a, b in face.schema.edges]
        for keypoint, place, sure, given in zip(
            face.schema.keypoints, face.points.tolist(), face.confidence, face.given, strict=True
        ):
            label = f"face {number}, {keypoint.label}" if several else keypoint.label
            short = short_label(keypoint.label)
            points.append({"label": label, "short": short, "color": keypoint.color})
            places.append([round(place[0], 2), round(place[1], 2)] if given else None)
            remarks.append(f", {sure:.0%} sure" if np.isfinite(sure) else "")
    face_px = float(np.median([face.frame.size for face in faces])) if faces else float(width)

    def drawn() -> None:
        found = (st.session_state.get(key) or {}).get("drawn")
        if draw is not None and found and len(found) == 4:
            draw((float(found[0]), float(found[1]), float(found[2]), float(found[3])))

    _view(
        key=key,
        on_drawn_change=drawn,
        data={
            "id": id,
            "src": url,
            "width": width,
            "height": height,
            "tall": TALL,
            "face": {
                "points": [None] * len(points),
                "predicted": places if POINTS in show else [],
                "remarks": remarks,
            },
            "points": points,
            "edges": edges,
            "show": [EDGES] if EDGES in show and POINTS in show else [],
            "size": mark_size * face_px / 120,
            "boxes": [
                {"corners": np.round(face.frame.corners(), 2).tolist(), "title": str(number)}
                for number, face in enumerate(faces, 1)
            ]
            if BOXES in show
            else [],
            "draw": draw is not None,
        },
    )
