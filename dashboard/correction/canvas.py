"""The face on the canvas, its points to be dragged and placed."""

from __future__ import annotations

import numpy as np
import streamlit as st

from dashboard.correction import look as looks
from dashboard.correction.actions import acting
from dashboard.correction.backdrop import backdrop
from dashboard.correction.desk import CANVAS, Desk, at_hand
from dashboard.correction.drawing import DRAFT, Place, adjusted
from dashboard.correction.hands import hands
from dashboard.correction.look import Look
from dashboard.face_picture import enlarged_url
from dashboard.guard import safely

FRAME = "correct-frame"
"""Key of the container around the canvas."""


def canvas(desk: Desk, look: Look, keys: dict[str, str], position: int) -> None:
    """Draw the image at ``position`` of the dataset with the points of ``desk``; ``keys`` of the
    keyboard press the buttons with those keys."""
    # Importing it registers it, which needs a server that runs.
    from streamlit_drawable_canvas import st_canvas

    schema = desk.dataset.schema
    width, height = schema.width * look.zoom, schema.height * look.zoom
    issued = desk.draw(look.zoom, look.radius, look.hidden)
    active = desk.active if desk.active is not None else -1
    with st.container(key=FRAME):
        st_canvas(
            fill_color=schema.keypoints[active].color if active >= 0 else "#888888",
            stroke_color="#ffffff",
            stroke_width=2,
            background_image=_backdrop(desk, look, position),
            initial_drawing=issued,
            drawing_mode="point",
            point_display_radius=round(look.radius),
            width=width,
            height=height,
            key=CANVAS,
            on_change=acting("moving points", lambda desk: None),
        )
    hands(
        FRAME,
        desk.drawing,
        keys,
        desk.author,
        on_click=lambda place: safely("placing a point", _clicked, place)(),
        on_author=lambda name: None,
    )


def _clicked(place: Place) -> None:
    at_hand().click(place)


def _backdrop(desk: Desk, look: Look, position: int) -> str:
    image = np.asarray(desk.dataset.images[position])
    if look.brightness or look.contrast != 1:
        image = adjusted(image, look.brightness, look.contrast)
    picture = enlarged_url(image, smooth=looks.PIXELS not in look.show)
    sheet, show = desk.sheet, () if look.hidden else look.show
    before = np.array(desk.dataset.keypoints[position])
    moved = [k for k in range(len(before)) if not _same(sheet.points[k], before[k])]
    original = np.where(np.isin(np.arange(len(before)), moved)[:, None], before, np.nan)
    place = None
    if desk.active is not None and not look.hidden:
        mark = desk.marks().get(desk.active)
        place = np.array(mark.place) if mark is not None else None
    return backdrop(
        picture,
        desk.dataset.schema,
        look.zoom,
        points=sheet.points,
        names=looks.NAMES in show,
        edges=looks.EDGES in show,
        predicted=desk.predicted if looks.PREDICTED in show else None,
        original=original if looks.ORIGINAL in show else None,
        corrected=() if look.hidden else sheet.changed(),
        drafts=() if look.hidden else [m.place for m in desk.marks().values() if m.state == DRAFT],
        active=place,
        radius=look.radius,
    )


def _same(a: np.ndarray, b: np.ndarray) -> bool:
    return bool(np.allclose(a, b, atol=1e-6, equal_nan=True))
