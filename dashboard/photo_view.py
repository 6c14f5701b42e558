"""A photo with its faces: squares, points, names on hover, zoom to one of them; boxes drawn by
hand."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import streamlit as st
from numpy.typing import NDArray
from streamlit.components.v2 import component

from dashboard.face_grid import EDGES, MARK_STYLE, MARKS, POINTS, ZOOM, source
from fkd.inference.drawing import BOX
from fkd.inference.faces import Face

_view = component(
    "fkd_photo_view",
    html='<div class="frame"><div class="view"></div><div class="tip" hidden></div>'
    '<button type="button" class="back" hidden>Whole photo</button></div>',
    css=MARK_STYLE + source("photo_view.css"),
    js=MARKS + ZOOM + source("photo_view.js"),
)

SHOWN_SIDE = 1600
"""Longer side in px of the picture that the browser gets; points keep the photo's own px."""
TALL = 640
"""Height on the screen, in CSS px, that a photo gets at most."""

Box = tuple[float, float, float, float]
"""x, y, width and height in px of the photo."""

_AROUND = 1.5
"""How far around a face's centre a detail reaches, and the view when it zooms there, by the side of
the face's square."""

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


@dataclass(frozen=True)
class Detail:
    """A part of a photo, as sharp as it is there.

    Attributes:
        url: its picture.
        x, y, width, height: where it lies, in px of the photo.
    """

    url: str
    x: int
    y: int
    width: int
    height: int


def detail(color: NDArray[np.uint8], face: Face) -> Detail | None:
    """What of ``color`` ``(H, W, 3)`` lies around ``face``; None where what is shown of the whole
    photo is as sharp, or nothing lies there."""
    height, width = color.shape[:2]
    if max(width, height) <= SHOWN_SIDE:
        return None
    centre = np.array([face.frame.x, face.frame.y])
    reach = _AROUND * face.frame.size
    left, top = np.clip(np.floor(centre - reach), 0, (width, height)).astype(int).tolist()
    right, bottom = np.clip(np.ceil(centre + reach), 0, (width, height)).astype(int).tolist()
    if left >= right or top >= bottom:
        return None
    url = shown_url(color[top:bottom, left:right])
    return Detail(url, left, top, right - left, bottom - top)


@dataclass(frozen=True)
class Focus:
    """The face that a photo is zoomed to.

    Attributes:
        number: which, from 1.
        token: a new one zooms there again.
        detail: the photo around it.
    """

    number: int
    token: str
    detail: Detail | None = None


def photo_view(
    id: str,
    title: str,
    url: str,
    size: tuple[int, int],
    faces: Sequence[Face],
    key: str,
    *,
    show: Sequence[str],
    mark_size: float,
    focus: Focus | None = None,
    draw: Callable[[Box], None] | None = None,
) -> None:
    """Draw the photo ``id``, ``size`` (width, height) px, whose picture is ``url``; ``title`` says
    in words what it is. Points without a place are not drawn. Marks have a size on the screen,
    which ``mark_size`` scales. It is zoomed to the face in ``focus``. With ``draw``, dragging draws
    a box, and it is called with that."""
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
            points.append({"label": label, "color": keypoint.color})
            places.append([round(place[0], 2), round(place[1], 2)] if given else None)
            remarks.append(f", confidence {sure:.0%}" if np.isfinite(sure) else "")

    def drawn() -> None:
        found = (st.session_state.get(key) or {}).get("drawn")
        if draw is not None and found and len(found) == 4:
            draw((float(found[0]), float(found[1]), float(found[2]), float(found[3])))

    _view(
        key=key,
        on_drawn_change=drawn,
        data={
            "id": id,
            "title": title,
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
            "size": mark_size,
            "box_color": BOX,
            "boxes": [
                {
                    "corners": np.round(face.frame.corners(), 2).tolist(),
                    "title": str(number) if several else "",
                    "chosen": focus is not None and focus.number == number,
                }
                for number, face in enumerate(faces, 1)
            ]
            if BOXES in show
            else [],
            **_focused(focus, faces),
            "draw": draw is not None,
        },
    )


def _focused(focus: Focus | None, faces: Sequence[Face]) -> dict[str, object]:
    if focus is None or not 1 <= focus.number <= len(faces):
        return {"focus": None, "detail": None}
    frame, near = faces[focus.number - 1].frame, focus.detail
    return {
        "focus": {
            "token": focus.token,
            "x": round(frame.x, 2),
            "y": round(frame.y, 2),
            "side": round(_AROUND * frame.size, 2),
        },
        "detail": near
        and {
            "src": near.url,
            "x": near.x,
            "y": near.y,
            "width": near.width,
            "height": near.height,
        },
    }
