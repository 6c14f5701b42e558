"""The rows above the canvas: which image it is, how far the queue has come, the ways on, and the
toolbar."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import replace

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard.correction import actions, todo
from dashboard.correction.actions import acting, go, save_and_go, skip_and_go
from dashboard.correction.desk import Desk
from dashboard.correction.look import toggle_edges, toggle_marks
from dashboard.correction.todo import Known
from dashboard.correction.view import SUSPECTS, View
from dashboard.words import about, compact, plain
from fkd.labels.queue import Queue, progress
from fkd.labels.reviews import OPEN, Review, pace

KEYS = {
    **{"Enter": "save", "n": "save", "?": "keys", "Delete": "remove", "Backspace": "remove"},
    **{"ArrowLeft": "previous", "ArrowRight": "next", "z": "undo", "Shift+z": "redo"},
    **{"Ctrl+z": "undo", "Ctrl+Shift+z": "redo", "Ctrl+y": "redo"},
    **{"a": "accept-all", "p": "accept", "s": "skip", "x": "absent", "o": "occluded"},
    **{"q": "suspicious", "u": "unlabelled", "b": "back", "k": "skip-image", "h": "hide"},
    **{"f": "fix-fix", "e": "edges"},
}
"""Keys, and the buttons that they press, without ``correct-``."""

_IMAGE_KEYS = """
| Images and view | |
|---|---|
| Enter, N | Save and go to the next image |
| Right, Left | Next or previous image; unsaved edits are kept |
| K | Skip this image |
| Q | Next likely label error |
| U | Next image with missing points |
| B | Back to my last edit |
| Ctrl+Z, Z | Undo, including saves |
| Ctrl+Shift+Z, Ctrl+Y, Shift+Z | Redo |
| Wheel, +, - | Zoom in or out |
| Space+drag, middle button | Move the enlarged image |
| Home | Show the whole image |
| H | Hide or show all marks |
| E | Show or hide edges |
"""
_POINT_KEYS = """
| Points | |
|---|---|
| Tab, Shift+Tab | Choose the next or previous point; after Esc, move through the page |
| 1–9, 0, letters | Choose the point with this key in the list |
| Click | Place the chosen point, or choose the point under the mouse |
| Drag | Move a point; drag around several points to move them together |
| Shift+arrow | Move the chosen point by 0.25 px |
| A | Accept all suggested points |
| P | Use the prediction for the chosen point |
| S | Skip the chosen point |
| X, O | Mark the chosen point as absent, occluded |
| Delete | Remove the label of the chosen point |
| F | Apply the proposed fix |
| ? | Show this list |
"""


def title(
    desk: Desk, shown: View, queue: Queue, mine: Queue, reviews: Mapping[int, Review]
) -> None:
    """Which image of ``queue`` it is, and how far it has come, images in other states among
    them: ``mine``."""
    at = queue.place(desk.sheet.row)
    where = "" if at is None else f"{at + 1:,} of {len(queue):,}, "
    unsaved = " :orange-badge[unsaved edits]" if desk.sheet.changed() else ""
    where += _progress(desk, mine, reviews)
    st.markdown(f"### Row {desk.sheet.row}{unsaved} :small[:gray[{where}]]")


def ways_on(desk: Desk, shown: View, queue: Queue, reviews: Mapping[int, Review]) -> None:
    """The buttons that end the work on this image."""
    after = following(desk.sheet.row, shown, queue, reviews, desk.author)
    st.button(
        "Skip image",
        key="correct-skip-image",
        help="Leave this image for later and open the next (K)",
        on_click=acting("skipping an image", skip_and_go(shown, after)),
    )
    st.button(
        "Save and next",
        key="correct-save",
        type="primary",
        help="Save the labels, mark the image as done and open the next (Enter)",
        disabled=desk.conflict is not None,
        on_click=acting("saving", save_and_go(shown, after)),
    )


def toolbar(
    desk: Desk,
    shown: View,
    queue: Queue,
    known: Known,
    reviews: Mapping[int, Review],
) -> DeltaGenerator:
    """The other buttons, in groups; returns the last group, for more."""
    row = st.container(horizontal=True, gap=None, key="correct-toolbar")
    for number, group in enumerate(_groups(desk, shown, queue, known, reviews)):
        place = row.container(horizontal=True, gap=None, width="content", key=f"correct-g{number}")
        for text, key, note, act in group:
            place.button(
                text,
                key=f"correct-{key}",
                help=note,
                type="tertiary",
                on_click=acting(text.lower(), act),
            )
    if st.session_state.pop(_SHOW_KEYS, False):
        _keys()
    return place


def following(
    row: int | None, shown: View, queue: Queue, reviews: Mapping[int, Review], author: str
) -> int | None:
    """Where one goes on from ``row``: the next open image that is not somebody else's, where not
    the images of somebody, or in another state, were asked for."""
    if shown.state not in ("", OPEN):
        return queue.step(row, 1)
    return queue.next_open(row, reviews, "" if shown.whose else author)


@st.dialog("Keyboard shortcuts", width="large")
def _keys() -> None:
    for column, keys in zip(st.columns(2), (_IMAGE_KEYS, _POINT_KEYS), strict=True):
        column.markdown(keys)
    st.caption("Single-key shortcuts and Tab can be turned off under View.")


def _progress(desk: Desk, queue: Queue, reviews: Mapping[int, Review]) -> str:
    found = progress(queue.rows, reviews, pace(desk.store, desk.author))
    parts = [f"{compact(found.done)} done"]
    if found.skipped:
        parts.append(f"{compact(found.skipped)} skipped")
    if found.seconds_left is not None and found.open:
        parts.append(f"{about(found.seconds_left)} at your pace")
    review = reviews.get(desk.sheet.row)
    if review is not None and review.assignee not in ("", desk.author):
        parts.append(f"this image is assigned to {plain(review.assignee)}")
    if review is not None and review.state != OPEN:
        parts.append(f"this image is {review.state}, by {plain(review.author)}")
    return ", ".join(parts)


_Way = tuple[str, str, str, Callable[[Desk], object]]


def _groups(
    desk: Desk,
    shown: View,
    queue: Queue,
    known: Known,
    reviews: Mapping[int, Review],
) -> list[list[_Way]]:
    """Words, key, explanation and action of each button of the toolbar."""
    row = desk.sheet.row

    def to(view: View, target: int | None) -> Callable[[Desk], None]:
        return lambda desk: go(view, target)

    suspects = replace(shown, queue=SUSPECTS, state="")
    found = todo.queue(suspects, known)
    incomplete = _next_incomplete(known, row)
    return [
        [("Undo", "undo", "Undo the last edit, or the last save of this image (Ctrl+Z)",
          actions.undo),
         ("Redo", "redo", "Redo what was undone (Ctrl+Shift+Z)", actions.redo)],
        [("Previous", "previous", "Previous image, without saving (Left)",
          to(shown, queue.step(row, -1))),
         ("Next", "next", "Next image, without saving (Right)", to(shown, queue.step(row, 1)))],
        [("Next likely error", "suspicious", "Next image with a likely label error (Q)",
          to(suspects, found.next_open(row, reviews, desk.author))),
         ("Next incomplete", "unlabelled", "Next image with missing points (U)",
          to(shown, incomplete)),
         ("My last edit", "back", "Back to the image that I edited last (B)", _back(shown))],
        [("Accept all", "accept-all", "Accept all suggested points as labels (A)",
          actions.accept_all)],
        [("Hide marks", "hide", "Hide or show all marks (H)", toggle_marks),
         ("Edges", "edges", "Show or hide the lines between points (E)", toggle_edges),
         ("Shortcuts", "keys", "Keyboard shortcuts (?)", _show_keys)],
    ]  # fmt: skip


_SHOW_KEYS = "correct-show-keys"


def _show_keys(_desk: Desk) -> None:
    st.session_state[_SHOW_KEYS] = True


def _next_incomplete(known: Known, row: int) -> int | None:
    rows = known.unlabelled
    behind = bisect_right(rows, row)
    return rows[behind] if behind < len(rows) else next(iter(rows), None)


def _back(shown: View) -> Callable[[Desk], None]:
    """To the image that I changed last; from there, to the one before."""

    def act(desk: Desk) -> None:
        rows = desk.store.edited_rows(desk.author)
        at = rows.index(desk.sheet.row) + 1 if desk.sheet.row in rows else 0
        if at < len(rows):
            go(shown, rows[at])
        else:
            actions.tell("You edited no other image before this one." if rows else
                         "You have not edited any image yet.")  # fmt: skip

    return act
