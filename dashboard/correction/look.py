"""How the face on the canvas is shown: what a person sets once and keeps."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

NAMES, EDGES, PREDICTED, ORIGINAL, PIXELS = "names", "edges", "predicted", "original", "pixels"
TOGGLES = {
    NAMES: "names",
    EDGES: "edges",
    PREDICTED: "predictions",
    ORIGINAL: "original labels",
    PIXELS: "raw pixels",
}
ZOOMS = (6, 8, 10, 12)
"""px of the canvas for each of the image's."""
_HIDDEN = "correct-hidden"


@dataclass(frozen=True)
class Look:
    """How the face is shown.

    Attributes:
        show: keys of ``TOGGLES`` that are on.
        zoom: px of the canvas for each of the image's.
        radius: of a dot, in px of the canvas.
        brightness, contrast: see ``drawing.adjusted``.
        hidden: the face alone, without any mark.
    """

    show: tuple[str, ...]
    zoom: int
    radius: float
    brightness: int
    contrast: float
    hidden: bool


def toggle_marks(_desk: object = None) -> None:
    """Show the face alone, or with its marks again."""
    st.session_state[_HIDDEN] = not st.session_state.get(_HIDDEN, False)


def look_controls() -> Look:
    """The controls; return what they say."""
    show = st.pills(
        "Show",
        list(TOGGLES),
        format_func=TOGGLES.get,
        selection_mode="multi",
        default=[PREDICTED, ORIGINAL],
        key="correct-show",
        persist_state="session",
    )
    zoom = st.segmented_control(
        "Zoom",
        ZOOMS,
        default=8,
        required=True,
        format_func=lambda z: f"{z}x",
        key="correct-zoom",
        persist_state="session",
    )
    radius = st.slider(
        "Point size",
        3.0,
        12.0,
        6.0,
        0.5,
        key="correct-radius",
        format="%.3g px",
        persist_state="session",
    )
    brightness = st.slider(
        "Brightness", -100, 100, 0, 5, key="correct-light", persist_state="session"
    )
    contrast = st.slider(
        "Contrast",
        0.5,
        4.0,
        1.0,
        0.1,
        key="correct-contrast",
        format="%.1fx",
        persist_state="session",
    )
    hidden = st.session_state.get(_HIDDEN, False)
    return Look(tuple(show), zoom, radius, brightness, contrast, hidden)
