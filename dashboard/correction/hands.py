"""The mouse and the keys on the canvas, and the marks on it; see hands.js."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st
from streamlit.components.v2 import component

from dashboard.face_grid import MARK_STYLE, MARKS, source
from dashboard.guard import safely

_STYLE = MARK_STYLE + source("correction/canvas.css")
_hands = component(
    "fkd_hands",
    html="<span></span>",
    js=f"const STYLE = {json.dumps(_STYLE)};\n"
    + MARKS
    + "".join(map(source, ["correction/canvas_marks.js", "correction/canvas_view.js"]))
    + source("correction/hands.js"),
)

_KEY = "correct-hands"


def hands(
    frame: str,
    face: Mapping[str, Any] | None,
    keys: Mapping[str, str],
    author: str,
    single_keys: bool | None,
    told: Mapping[str, Callable[[Any], object]],
) -> None:
    """Work on the canvas in the container with the key ``frame``.

    Args:
        face: what it shows, see ``canvas``; None where there is no canvas.
        keys: keys of the keyboard, and the buttons that they press, without ``correct-``.
        author: who corrects; the browser keeps the name for the next time.
        single_keys: whether keys that are a single character do anything; None where nobody has
            said so yet. The browser keeps that too.
        told: called with what the browser tells: ``click``, the place of a click on the face;
            ``choose``, the number of a keypoint; ``author`` and ``single_keys``, what the browser
            has kept, where that is not known.
    """

    def calling(name: str) -> Callable[[], None]:
        def call() -> None:
            if (value := (st.session_state.get(_KEY) or {}).get(name)) is not None:
                told[name](value)

        return safely("the canvas", call)

    callbacks: dict[str, Any] = {f"on_{name}_change": calling(name) for name in told}
    _hands(
        key=_KEY,
        data={
            "canvas": frame,
            "face": face,
            "keys": {key: f"correct-{button}" for key, button in keys.items()},
            "author": author,
            "single_keys": single_keys,
        },
        **callbacks,
    )
