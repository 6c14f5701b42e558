"""Why the image is looked at, and what puts it right with one click."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from dashboard.correction.actions import accept, accept_far, acting
from dashboard.correction.desk import Desk
from dashboard.correction.todo import Known
from dashboard.words import plain
from fkd.labels.suspects import MISSING, Suspect

Points = NDArray[np.floating]


def why(desk: Desk, suspect: Suspect | None) -> None:
    """The reason why the image is in the queue, with the fix that follows from it."""
    if suspect is None:
        return
    with st.container(border=True, gap="small"):
        note = suspect.note[:1].upper() + suspect.note[1:]
        st.markdown(f"**{plain(note)}.**  \n:small[:gray[By {plain(suspect.source)}]]")
        if suspect.kind == MISSING and desk.predicted is not None:
            st.button(
                "Accept them",
                key="correct-fix-fix",
                shortcut="F",
                help="Take the model's places for these points",
                width="stretch",
                on_click=acting("accepting", accept(suspect.keypoints)),
            )
        elif suspect.fix is not None:
            _button(desk, "Do that", "fix", "F", suspect.fix, "Put the labels as proposed")


def fixes(desk: Desk, known: Known, position: int) -> None:
    """Fixes that may fit, whatever the reason."""
    with st.popover("Fixes", icon=":material/auto_fix_high:"):
        st.caption("Each is one step that Undo takes back.")
        here = desk.sheet.points
        _button(
            desk,
            "Swap left and right",
            "swap",
            None,
            here[desk.dataset.schema.mirror_order],
            "All pairs exchange their places",
        )
        shift = _shift(desk)
        words = "" if shift is None else f" by {shift[0]:+.1f}, {shift[1]:+.1f} px"
        _button(
            desk,
            f"Shift the face{words}",
            "shift",
            None,
            None if shift is None else here + shift,
            "All points by the median distance to the predictions",
        )
        st.button(
            "Take predictions for far points",
            key="correct-far",
            help="Points that lie 3 px or more from where the model sees them",
            disabled=desk.predicted is None,
            width="stretch",
            on_click=acting("taking predictions", accept_far),
        )
        twin = np.flatnonzero(known.twins.at == position)
        carried = known.twins.points[twin[0]] if len(twin) else None
        row = int(known.labels.rows[known.twins.of[twin[0]]]) if len(twin) else None
        _button(
            desk,
            "Copy from the duplicate" + ("" if row is None else f", row {row}"),
            "copy",
            None,
            carried,
            "The labels of the same picture in another crop, laid over this one",
        )


def _shift(desk: Desk) -> Points | None:
    """``(2,)`` px that lie between the labels and the predictions; None without predictions."""
    if desk.predicted is None:
        return None
    away = np.asarray(desk.predicted, np.float64) - desk.sheet.points
    away = away[np.isfinite(away).all(axis=1)]
    return np.asarray(np.median(away, axis=0)) if len(away) else None


def _button(
    desk: Desk, label: str, key: str, shortcut: str | None, points: Points | None, note: str
) -> None:
    def act(points: Points) -> Callable[[Desk], None]:
        return lambda desk: desk.change(desk.sheet.with_points(points))

    st.button(
        label,
        key=f"correct-fix-{key}",
        shortcut=shortcut,
        help=note,
        disabled=points is None,
        width="stretch",
        on_click=None if points is None else acting(label.lower(), act(points)),
    )
