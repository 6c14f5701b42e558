"""Why the image is looked at, and what puts it right with one click."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from dashboard.correction.actions import FAR, accept, accept_far, acting
from dashboard.correction.desk import Desk
from dashboard.correction.todo import Known
from dashboard.words import plain
from fkd.labels.suspects import MISSING, Suspect

Points = NDArray[np.floating]


def why(desk: Desk, suspect: Suspect | None) -> None:
    """The reason why the image is in the queue, by whose word, and the fix that follows from it."""
    if suspect is None:
        return
    with st.container(border=True, gap="small"):
        note = suspect.note[:1].upper() + suspect.note[1:]
        st.markdown(f"**{plain(note)}.**  \n:small[:gray[{plain(_by(suspect))}]]")
        if suspect.kind == MISSING and desk.predicted is not None:
            st.button(
                "Accept suggested points",
                key="correct-fix-fix",
                shortcut="F",
                help="Makes labels of the predictions for these points",
                width="stretch",
                on_click=acting("accepting suggested points", accept(suspect.keypoints)),
            )
        elif suspect.fix is not None:
            label, note = _fix(suspect)
            if desk.sheet.with_points(suspect.fix) is desk.sheet:
                st.caption("Fixed. The reason tells how the labels were when the queue was made.")
            else:
                _button(desk, label, "fix", "F", suspect.fix, note)


def _by(suspect: Suspect) -> str:
    """What the labels were compared with."""
    if suspect.standing:
        return f"Reference model: {suspect.source}, {suspect.standing}"
    return f"Compared with {suspect.source}"


def _fix(suspect: Suspect) -> tuple[str, str]:
    """What the fix of a wrong label does, as its button and its tooltip say it."""
    one = len(suspect.keypoints) == 1
    points = "the point" if one else f"{len(suspect.keypoints)} points"
    if suspect.reason == "swap":
        return "Swap left and right", f"Swaps {points}: the left and right one of each pair"
    if suspect.reason == "shift":
        return "Shift all points back", "Moves all points by the same distance"
    if suspect.reason == "duplicates":
        where = f"Moves {points} to where the labels of {suspect.source}, are"
        return "Move to the duplicate's labels", where
    where = f"Moves {points} to where the prediction and the other labels of the face place it"
    if not one:
        where = where[:-2] + "them"
    # Not quite the prediction: with the other labels it comes nearer to the truth.
    return f"Move to expected {'place' if one else 'places'}", where


def fixes(desk: Desk, known: Known, position: int) -> None:
    """Fixes that may fit, whatever the reason."""
    with st.popover("Fixes", type="tertiary", key="correct-fixes", on_change="rerun") as opened:
        if not opened.open:
            return
        st.caption("Each is one step; Undo takes it back.")
        here = desk.sheet.points
        _button(
            desk,
            "Swap left and right",
            "swap",
            None,
            here[desk.dataset.schema.mirror_order],
            "Swaps the left and right point of every pair",
        )
        shift = _shift(desk)
        words = "" if shift is None else f" by {shift[0]:+.1f}, {shift[1]:+.1f} px"
        _button(
            desk,
            f"Shift all points{words}",
            "shift",
            None,
            None if shift is None else here + shift,
            "Moves all points by their median distance from the predictions",
        )
        st.button(
            "Move far points to predictions",
            key="correct-far",
            help=f"Moves points that lie {FAR:g} px or more from their prediction to it",
            disabled=desk.predicted is None,
            width="stretch",
            on_click=acting("moving points", accept_far),
        )
        twin = np.flatnonzero(known.twins.at == position)
        carried = known.twins.points[twin[0]] if len(twin) else None
        row = int(known.labels.rows[known.twins.of[twin[0]]]) if len(twin) else None
        _button(
            desk,
            "Copy labels of " + ("a duplicate" if row is None else f"row {row}, a duplicate"),
            "copy",
            None,
            carried,
            "Takes the labels of the same picture, laid over this one",
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

    done = points is not None and desk.sheet.with_points(points) is desk.sheet
    st.button(
        label,
        key=f"correct-fix-{key}",
        shortcut=shortcut,
        help="The points lie there already." if done else note,
        disabled=points is None or done,
        width="stretch",
        on_click=None if points is None else acting(label.lower(), act(points)),
    )
