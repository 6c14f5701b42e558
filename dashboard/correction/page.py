"""The Correct page put together: the queue, the canvas, the points and the keys."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from dashboard import predictions
from dashboard.correction import actions, points, view
from dashboard.correction.actions import acting, save_and_go
from dashboard.correction.canvas import canvas
from dashboard.correction.desk import Desk, open_desk
from dashboard.correction.look import look_controls, toggle_marks
from dashboard.correction.todo import Todo, todo
from dashboard.correction.view import View
from dashboard.current import Current
from dashboard.guard import guard, tell_failures
from dashboard.words import plain
from fkd.errors import UserError
from fkd.labels.store import LabelStore
from fkd.models.sources import trained_model

KEYS = {"n": "correct-save", "N": "correct-save", "?": "correct-keys"}
"""Keys beside the shortcuts of buttons, and the buttons that they press."""


@st.fragment
def correct(current: Current, _shown: View, author: str) -> None:
    """The page. A fragment: nothing else is drawn anew when a point moves."""
    with guard("page Correct"):
        tell_failures()
        _correct(current, view.enter(), author)


def _correct(current: Current, shown: View, author: str) -> None:
    actions.show_note()
    found = todo(current, shown.queue)
    row = shown.row if shown.row is not None else found.step(-1, 1)
    if row is None:
        st.info("Nothing is left in this queue.", icon=":material/done_all:")
        return
    position = current.dataset.position(row)
    if position is None:
        st.warning(
            f"Dataset '{plain(current.dataset.name)}' has no row {row}.",
            icon=":material/search_off:",
        )
        return
    view.write(View(row, shown.queue, shown.model))
    desk = open_desk(LabelStore(current.dataset), row, author)
    _take_predictions(desk, shown, current, position)
    bar = st.container(horizontal=True, vertical_alignment="bottom", gap="small")
    with st.container(horizontal=True, gap="medium"):
        left = st.container(width="content")
        right = st.container(width="stretch", gap="small")
    with right:
        points.next_point(desk)
        points.point_actions(desk)
        points.point_list(desk)
    with bar:
        _bar(desk, shown, found, row)
        with st.popover("View", icon=":material/tune:"):
            look = look_controls()
    with left:
        canvas(desk, look, KEYS, position)


def _take_predictions(desk: Desk, shown: View, current: Current, position: int) -> None:
    """What the chosen model says of the image, as far as it was asked."""
    desk.predicted, desk.source = None, ""
    if not shown.model:
        return
    try:
        model = trained_model(shown.model)
    except UserError:
        return
    if (found := predictions.predicted(model, current.dataset)) is not None:
        desk.predicted, desk.source = found.points[position], model.name


def _bar(desk: Desk, shown: View, found: Todo, row: int) -> None:
    at = found.place(row)
    where = "" if at is None else f"{at + 1:,} of {len(found.rows):,}"
    st.markdown(f"### Row {row} :small[:gray[{where}]]", width="stretch")
    following = found.step(row, 1)
    st.button(
        "Save and next",
        key="correct-save",
        type="primary",
        shortcut="Enter",
        on_click=acting("saving", save_and_go(shown, following)),
    )
    for label, icon, key, shortcut, act in (
        ("Previous", "chevron_left", "previous", "Left", _going(shown, found.step(row, -1))),
        ("Next", "chevron_right", "next", "Right", _going(shown, following)),
        ("Undo", "undo", "undo", "Z", actions.undo),
        ("Redo", "redo", "redo", "Shift+Z", actions.redo),
        ("Accept all drafts", "done_all", "accept-all", "A", actions.accept_all),
        ("Hide marks", "visibility_off", "hide", "H", toggle_marks),
    ):
        st.button(
            "",
            key=f"correct-{key}",
            icon=f":material/{icon}:",
            help=label,
            shortcut=shortcut,
            on_click=acting(label.lower(), act),
        )


def _going(shown: View, row: int | None) -> Callable[[Desk], None]:
    return lambda desk: actions.go(shown, row)
