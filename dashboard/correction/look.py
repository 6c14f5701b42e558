"""How the face on the canvas is shown: what a person sets once and keeps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import streamlit as st

from dashboard.links import bound

NAMES, EDGES, PREDICTED, ORIGINAL, PIXELS = "names", "edges", "predicted", "original", "pixels"
TOGGLES = {
    NAMES: "Names",
    EDGES: "Edges",
    PREDICTED: "Predictions",
    ORIGINAL: "Original labels",
    PIXELS: "Raw pixels",
}
_SHOWN = (PREDICTED, ORIGINAL)
_RADIUS = 4.5
_SHOW, _SIZE, _LIGHT, _CONTRAST, _HIDDEN, _SINGLE_KEYS = (
    f"correct-{name}" for name in ("show", "radius", "light", "contrast", "hidden", "single-keys")
)


@dataclass(frozen=True)
class Look:
    """How the face is shown.

    Attributes:
        show: keys of ``TOGGLES`` that are on.
        radius: of a dot, in px of the screen.
        brightness, contrast: see ``drawing.adjusted``.
        hidden: the face alone, without any mark.
    """

    show: tuple[str, ...] = _SHOWN
    radius: float = _RADIUS
    brightness: int = 0
    contrast: float = 1.0
    hidden: bool = False


def look() -> Look:
    """How this person wants it, as far as they have said so."""
    state = st.session_state
    return Look(
        tuple(state.get(_SHOW, _SHOWN)),
        state.get(_SIZE, _RADIUS),
        state.get(_LIGHT, 0),
        state.get(_CONTRAST, 1.0),
        state.get(_HIDDEN, False),
    )


def toggle_marks(_desk: object = None) -> None:
    """Show the face alone, or with its marks again."""
    st.session_state[_HIDDEN] = not st.session_state.get(_HIDDEN, False)


def toggle_edges(_desk: object = None) -> None:
    """Show the lines between points, or hide them."""
    shown = list(st.session_state.get(_SHOW, _SHOWN))
    st.session_state[_SHOW] = (
        [s for s in shown if s != EDGES] if EDGES in shown else [*shown, EDGES]
    )


def single_keys() -> bool | None:
    """Whether keys that are a single character do anything; None where nobody has said so."""
    found = st.session_state.get(_SINGLE_KEYS)
    return None if found is None else bool(found)


def set_single_keys(on: object) -> None:
    """Remember whether keys that are a single character do anything."""
    st.session_state[_SINGLE_KEYS] = bool(on)


def controls() -> None:
    """The controls, folded away. What they say is kept in the session: they need not be there."""
    with st.popover("View", type="tertiary", key="correct-view", on_change="rerun") as opened:
        if opened.open:
            _controls()


def _controls() -> None:
    now = look()

    def kept(key: str, value: object) -> dict[str, Any]:
        return bound(f"{key}-control", value, lambda said: st.session_state.update({key: said}))

    st.pills(
        "Show",
        list(TOGGLES),
        format_func=TOGGLES.get,
        selection_mode="multi",
        **kept(_SHOW, list(now.show)),
    )
    st.slider("Point size", 2.0, 10.0, step=0.5, format="%.3g px", **kept(_SIZE, now.radius))
    st.slider("Brightness", -100, 100, step=5, **kept(_LIGHT, now.brightness))
    st.slider("Contrast", 0.5, 4.0, step=0.1, format="%.1fx", **kept(_CONTRAST, now.contrast))
    st.toggle(
        "Single-key shortcuts",
        help="Letters, digits and signs as shortcuts, and Tab to choose points. Off, only Enter, "
        "Delete, arrow keys and shortcuts with Ctrl work.",
        **kept(_SINGLE_KEYS, single_keys() is not False),
    )
