"""The mouse and the keys on the canvas; see hands.js."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import streamlit as st
from streamlit.components.v2 import component

from dashboard.correction.drawing import Drawing, Place
from dashboard.face_grid import source

_hands = component("fkd_hands", html="<span></span>", js=source("correction/hands.js"))

_KEY = "correct-hands"


def hands(
    canvas: str,
    drawing: Drawing | None,
    keys: Mapping[str, str],
    author: str,
    on_click: Callable[[Place], None],
    on_author: Callable[[str], None],
) -> None:
    """Work on the canvas in the container with the key ``canvas``.

    Args:
        drawing: what it shows.
        keys: keys of the keyboard, and the buttons that they press, without ``correct-``.
        author: who corrects; the browser keeps the name for the next time.
        on_click: called with the place of a click on the face, in px of the image.
        on_author: called with the name that the browser has kept, where ``author`` is empty.
    """

    def clicked() -> None:
        click = (st.session_state.get(_KEY) or {}).get("click")
        if drawing is not None and click and click.get("serial") == drawing.serial:
            on_click((click["x"] / drawing.scale - 0.5, click["y"] / drawing.scale - 0.5))

    def named() -> None:
        if name := (st.session_state.get(_KEY) or {}).get("author"):
            on_author(str(name))

    marks = []
    if drawing is not None:
        for k, mark in drawing.marks.items():
            x, y = ((v + 0.5) * drawing.scale for v in mark.place)
            marks.append([x, y, drawing.schema.keypoints[k].label])
    _hands(
        key=_KEY,
        on_click_change=clicked,
        on_author_change=named,
        data={
            "canvas": canvas if drawing is not None else "",
            "serial": drawing.serial if drawing is not None else 0,
            "marks": marks,
            "reach": 2 * drawing.radius if drawing is not None else 0,
            "keys": {key: f"correct-{button}" for key, button in keys.items()},
            "author": author,
        },
    )
