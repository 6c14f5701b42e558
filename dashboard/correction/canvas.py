"""The face on the canvas, its points to be dragged and placed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from dashboard.correction import look as looks
from dashboard.correction.actions import acting, choose, nudge
from dashboard.correction.desk import CANVAS, Desk, at_hand
from dashboard.correction.drawing import DRAFT, adjusted, canvas_scale
from dashboard.correction.hands import hands
from dashboard.correction.look import Look
from dashboard.correction.pictures import picture
from dashboard.correction.points import STEP, key_of
from dashboard.face_grid import EDGES, POINTS, style_data
from dashboard.names import name_places
from fkd.labels.states import State

FRAME = "correct-frame"
"""Key of the container around the canvas."""

NAME_PX = 13
"""Height of the names of points on the screen, in px."""


def canvas(desk: Desk, look: Look, keys: Mapping[str, str], position: int) -> None:
    """Draw the image at ``position`` of the dataset with the points of ``desk``; ``keys`` of the
    keyboard press the buttons with those keys."""
    # Importing it registers it, which needs a server that runs.
    from streamlit_drawable_canvas import st_canvas

    schema = desk.dataset.schema
    scale = canvas_scale(schema)
    issued = desk.draw(look.hidden)
    with st.container(key=FRAME):
        st_canvas(
            background_image=_picture(desk, look, position),
            initial_drawing=issued,
            # It would tell each drawing that it is told, and make the page run once more.
            update_streamlit=False,
            drawing_mode="point",
            width=schema.width * scale,
            height=schema.height * scale,
            key=CANVAS,
            on_change=acting("moving points", lambda desk: None),
        )
    hands(
        FRAME,
        {
            "id": f"{desk.store.key} {desk.sheet.row}",
            "serial": desk.drawing.serial if desk.drawing is not None else 0,
            "scale": scale,
            "radius": look.radius,
            "pixelated": looks.PIXELS in look.show,
            "active": desk.active,
            "font": NAME_PX,
            "step": STEP,
            "chooses": [key_of(k) for k in range(len(schema))],
            **_marks(desk, look, position),
        },
        keys,
        desk.author,
        looks.single_keys(),
        {
            "click": _clicked,
            "choose": _chosen,
            "nudge": _nudged,
            "single_keys": looks.set_single_keys,
        },
    )


def _clicked(told: Mapping[str, Any]) -> None:
    desk = at_hand()
    if desk.drawing is None or told["serial"] != desk.drawing.serial:
        return  # of the face before
    desk.click((float(told["x"]), float(told["y"])))


def _chosen(told: Any) -> None:
    desk = at_hand()
    if isinstance(told, int) and 0 <= told < len(desk.dataset.schema):
        acting("choosing a point", choose(told))()


def _nudged(told: Any) -> None:
    acting("moving a point", nudge(float(told[0]), float(told[1])))()


def _picture(desk: Desk, look: Look, position: int) -> str:
    """The face under the marks; made once, as long as it looks the same."""
    wanted = (look.brightness, look.contrast, looks.PIXELS in look.show)
    if desk.picture is None or desk.picture[0] != wanted:
        image = np.asarray(desk.dataset.images[position])
        if look.brightness or look.contrast != 1:
            image = adjusted(image, look.brightness, look.contrast)
        scale = canvas_scale(desk.dataset.schema)
        desk.picture = wanted, picture(image, scale, smooth=looks.PIXELS not in look.show)
    return desk.picture[1]


def _marks(desk: Desk, look: Look, position: int) -> dict[str, Any]:
    """What canvas_marks.js draws, in px of the image; what can be dragged it draws where it is
    on the canvas."""
    schema = desk.dataset.schema
    if look.hidden:
        return {**style_data(schema, ()), "marks": {}}
    marks = desk.marks()
    show = [POINTS, *([EDGES] if looks.EDGES in look.show else [])]
    data: dict[str, Any] = {
        **style_data(schema, show),
        "marks": {
            k: [*m.place, {DRAFT: "suggested", State.OCCLUDED: "occluded"}.get(m.state, "")]
            for k, m in marks.items()
        },
    }
    points = np.full((len(schema), 2), np.nan)
    for k, mark in marks.items():
        points[k] = mark.place
    if looks.PREDICTED in look.show and desk.predicted is not None:
        data["predicted"] = _listed(desk.predicted)
    if looks.ORIGINAL in look.show:
        before = np.array(desk.dataset.keypoints[position], np.float64)
        same = np.isclose(desk.sheet.points, before, atol=1e-6, equal_nan=True).all(axis=1)
        before[same] = np.nan
        data["before"] = _listed(before)
    data["corrected"] = desk.sheet.changed()
    if looks.NAMES in look.show:
        scale = canvas_scale(schema)
        places = name_places(points, schema, 1.2 * look.radius / scale, NAME_PX / scale)
        data["names"] = [
            None if n is None else [n.x - points[k][0], n.y - points[k][1], n.anchor]
            for k, n in enumerate(places)
        ]
    return data


def _listed(points: NDArray[np.floating]) -> list[list[float] | None]:
    """``(K, 2)`` px as plain numbers, None for a point that is not there."""
    return [
        [round(float(x), 2), round(float(y), 2)] if np.isfinite(x + y) else None for x, y in points
    ]
