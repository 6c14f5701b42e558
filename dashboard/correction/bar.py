"""The row above the canvas: which image it is, how far the queue has come, and the ways on."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import replace

import streamlit as st

from dashboard.correction import actions, todo
from dashboard.correction.actions import acting, go, save_and_go, skip_and_go
from dashboard.correction.desk import Desk
from dashboard.correction.look import toggle_marks
from dashboard.correction.todo import Known
from dashboard.correction.view import QUEUES, SUSPECTS, View
from dashboard.words import about, compact, plain
from fkd.labels.queue import Queue, progress
from fkd.labels.reviews import OPEN, Review, pace

KEYS = {
    **{"Enter": "save", "n": "save", "?": "keys", "Delete": "remove", "Backspace": "remove"},
    **{"ArrowLeft": "previous", "ArrowRight": "next", "z": "undo", "Shift+z": "redo"},
    **{"a": "accept-all", "p": "accept", "s": "skip", "x": "absent", "o": "occluded"},
    **{"q": "suspicious", "u": "unlabelled", "b": "back", "k": "skip-image", "h": "hide"},
    **{f"Shift+Arrow{way}": f"nudge-{way}" for way in ("Left", "Right", "Up", "Down")},
    "f": "fix-fix",
}
"""Keys, and the buttons that they press, without ``correct-``."""

_HELP = """
| key | |
|---|---|
| Enter or N | save, and on to the next image |
| right, left | next and previous image; what is not saved is kept as a draft |
| click | place the point that is named, or choose the one that is there |
| drag | move a point; around several, a frame to move them together |
| A, P | accept all drafts; take the prediction for the chosen point |
| S, X, O | this point: skip, absent, occluded |
| Delete | take the label of this point away |
| Shift with an arrow | move the point by 0.25 px |
| F | do what is proposed |
| Z, Shift+Z | undo and redo, also what is saved |
| Q, U | next suspicious image, next with missing points |
| B | back to my last edit |
| K | skip this image |
| H | hide all marks |
"""


def title(
    desk: Desk, shown: View, queue: Queue, mine: Queue, reviews: Mapping[int, Review]
) -> None:
    """Which image of ``queue`` it is, and how far it has come, images in other states among
    them: ``mine``."""
    at = queue.place(desk.sheet.row)
    where = "" if at is None else f"{at + 1:,} of {len(queue):,}, "
    unsaved = " :orange-badge[not saved]" if desk.sheet.changed() else ""
    where += _progress(desk, mine, reviews)
    st.markdown(
        f"### Row {desk.sheet.row} :small[:gray[{where}]]{unsaved}", help=QUEUES[shown.queue]
    )


def ways(
    desk: Desk,
    shown: View,
    queue: Queue,
    known: Known,
    reviews: Mapping[int, Review],
) -> None:
    """The buttons that lead on."""
    for text, icon, key, shortcut, act in _ways(desk, shown, queue, known, reviews):
        st.button(
            "",
            key=f"correct-{key}",
            icon=f":material/{icon}:",
            help=f"{text} ({shortcut})",
            type="tertiary",
            on_click=acting(text.lower(), act),
        )
    st.button(
        "",
        key="correct-keys",
        icon=":material/keyboard:",
        help="The keys (?)",
        type="tertiary",
        on_click=lambda: st.session_state.update({"correct-show-keys": True}),
    )
    after = following(desk.sheet.row, shown, queue, reviews, desk.author)
    st.button(
        "Save and next",
        key="correct-save",
        type="primary",
        shortcut="Enter",
        disabled=desk.conflict is not None,
        on_click=acting("saving", save_and_go(shown, after)),
    )
    if st.session_state.pop("correct-show-keys", False):
        _keys()


def following(
    row: int | None, shown: View, queue: Queue, reviews: Mapping[int, Review], author: str
) -> int | None:
    """Where one goes on from ``row``: the next open image that is not somebody else's, where not
    the images of somebody, or in another state, were asked for."""
    if shown.state not in ("", OPEN):
        return queue.step(row, 1)
    return queue.next_open(row, reviews, "" if shown.whose else author)


@st.dialog("Keys")
def _keys() -> None:
    st.markdown(_HELP)


def _progress(desk: Desk, queue: Queue, reviews: Mapping[int, Review]) -> str:
    found = progress(queue.rows, reviews, pace(desk.store, desk.author))
    parts = [f"{compact(found.done)} done"]
    if found.skipped:
        parts.append(f"{compact(found.skipped)} skipped")
    if found.seconds_left is not None and found.open:
        parts.append(f"{about(found.seconds_left)} at your pace")
    review = reviews.get(desk.sheet.row)
    if review is not None and review.assignee not in ("", desk.author):
        parts.append(f"this one is {plain(review.assignee)}'s")
    if review is not None and review.state != OPEN:
        parts.append(f"this one: {review.state} by {plain(review.author)}")
    return ", ".join(parts)


_Way = tuple[str, str, str, str, Callable[[Desk], object]]


def _ways(
    desk: Desk,
    shown: View,
    queue: Queue,
    known: Known,
    reviews: Mapping[int, Review],
) -> list[_Way]:
    """Words, icon, key, shortcut and action of each small button."""
    row = desk.sheet.row

    def to(view: View, target: int | None) -> Callable[[Desk], None]:
        return lambda desk: go(view, target)

    suspects = replace(shown, queue=SUSPECTS, state="")
    found = todo.queue(suspects, known)
    after = following(row, shown, queue, reviews, desk.author)
    incomplete = _next_incomplete(known, row)
    return [
        ("Previous image", "chevron_left", "previous", "left", to(shown, queue.step(row, -1))),
        ("Next image, without saving", "chevron_right", "next", "right",
         to(shown, queue.step(row, 1))),
        ("Undo", "undo", "undo", "Z", actions.undo),
        ("Redo", "redo", "redo", "Shift+Z", actions.redo),
        ("Accept all drafts", "done_all", "accept-all", "A", actions.accept_all),
        ("Hide marks", "visibility_off", "hide", "H", toggle_marks),
        ("Next suspicious image", "troubleshoot", "suspicious", "Q",
         to(suspects, found.next_open(row, reviews, desk.author))),
        ("Next image with missing points", "scatter_plot", "unlabelled", "U",
         to(shown, incomplete)),
        ("Back to my last edit", "history", "back", "B", _back(shown)),
        ("Skip this image", "skip_next", "skip-image", "K",
         skip_and_go(shown, after)),
    ]  # fmt: skip


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
            actions.tell("You have changed no image before this one." if rows else
                         "You have not changed any image yet.")  # fmt: skip

    return act
