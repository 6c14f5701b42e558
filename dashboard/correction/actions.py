"""What buttons and keys of the Correct page do; each takes over what was dragged just before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import streamlit as st

from dashboard.correction.desk import Desk, at_hand
from dashboard.correction.view import View, write
from dashboard.guard import safely
from fkd.errors import UserError
from fkd.labels import history
from fkd.labels.drafts import forget_draft
from fkd.labels.reviews import DONE, OPEN, SKIPPED, set_state
from fkd.labels.sheet import Sheet
from fkd.labels.states import State
from fkd.labels.store import Conflict

FAR = 3.0
"""px from the prediction at which a point stands out."""

_NOTE = "correct-note"


def acting(what: str, act: Callable[[Desk], object]) -> Callable[[], None]:
    """``act`` as a widget takes it, called with the desk after what was dragged came in."""

    def call() -> None:
        desk = at_hand()
        desk.absorb()
        act(desk)

    return safely(what, call)


def tell(note: str) -> None:
    """Say ``note`` for a moment, on the next drawing of the page."""
    st.session_state[_NOTE] = note


def show_note() -> None:
    """Show what was told since."""
    if note := st.session_state.pop(_NOTE, None):
        st.toast(note)


def save(desk: Desk) -> bool:
    """Save what was edited. Returns whether that is done; where somebody else has changed the
    image meanwhile, nothing is saved and the desk has the conflict."""
    try:
        edits = desk.sheet.edits()
        desk.store.save(edits, desk.author, base=desk.sheet.base, token=desk.token)
    except Conflict as conflict:
        desk.conflict = conflict
        return False
    forget_draft(desk.store, desk.author, desk.sheet.row)
    desk.reload()
    return True


def save_and_go(view: View, row: int | None) -> Callable[[Desk], None]:
    """Save, say that the image is done and open ``row``, if there is one."""

    def act(desk: Desk) -> None:
        if desk.conflict is None and save(desk):
            set_state(desk.store, desk.sheet.row, DONE, desk.author)
            go(view, row)

    return act


def skip_and_go(view: View, row: int | None) -> Callable[[Desk], None]:
    """Leave the image for somebody else, or for later, and open ``row``."""

    def act(desk: Desk) -> None:
        set_state(desk.store, desk.sheet.row, SKIPPED, desk.author)
        go(view, row)

    return act


def go(view: View, row: int | None) -> None:
    """Open ``row``; what is not saved is kept."""
    if row is None:
        tell("That was the last image of this queue.")
        return
    write(replace(view, row=row))


def keep_mine(desk: Desk) -> None:
    """Decide a conflict: what is on the canvas holds, in a version after the other's."""
    number, labels = desk.store.labels_of(desk.sheet.row)
    desk.sheet = desk.sheet.onto(number, labels)
    desk.conflict = None
    save(desk)


def take_theirs(desk: Desk) -> None:
    """Decide a conflict: what the other has saved holds."""
    forget_draft(desk.store, desk.author, desk.sheet.row)
    desk.reload()
    desk.skipped.clear()
    desk.advance()


def undo(desk: Desk) -> None:
    """Take back the last step; without one, the last save of this image."""
    _step(desk, Sheet.undo, history.undo, "was undone", OPEN)


def redo(desk: Desk) -> None:
    """Bring back what was taken back last."""
    _step(desk, Sheet.redo, history.redo, "was restored", DONE)


def _step(
    desk: Desk,
    step: Callable[[Sheet], Sheet],
    saved: Callable[..., history.Version],
    word: str,
    state: str,
) -> None:
    """One step of this image's edits, or else of its saves: the image is in ``state`` then."""
    if (changed := step(desk.sheet)) is not desk.sheet:
        desk.change(changed)
        return
    if desk.sheet.changed():
        return  # edits of earlier on: their steps are not known any more
    try:
        version = saved(desk.store, desk.author, desk.sheet.row)
    except UserError as error:
        tell(str(error))
        return
    set_state(desk.store, desk.sheet.row, state, desk.author)
    desk.reload()
    tell(f"Version {version.undoes} of this image {word}, as version {version.number}.")


def accept_all(desk: Desk) -> None:
    """Take all suggested points as labels."""
    _accept(desk, desk.drafts())


def accept(which: Sequence[int]) -> Callable[[Desk], None]:
    """Take the predictions for the keypoints in ``which`` as labels."""
    return lambda desk: _accept(desk, list(which))


def accept_far(desk: Desk) -> None:
    """Take the predictions for the points that lie far from them."""
    if desk.predicted is not None:
        away = np.linalg.norm(desk.predicted - desk.sheet.points, axis=1)
        _accept(desk, [int(k) for k in np.flatnonzero(away >= FAR)])


def accept_active(desk: Desk) -> None:
    """Take the prediction for the active point as its label."""
    if desk.active is not None:
        _accept(desk, [desk.active])
        desk.advance()


def _accept(desk: Desk, which: list[int]) -> None:
    if desk.predicted is not None:
        desk.change(desk.sheet.accept(desk.predicted, which, desk.source))
        if desk.active in which:
            desk.advance()


def mark(state: State) -> Callable[[Desk], None]:
    """Give the active point another state; absent again is missing, occluded again visible."""

    def act(desk: Desk) -> None:
        k = desk.active
        if k is None:
            tell("Choose a point first: click it on the face or in the list.")
            return
        now, wanted = desk.sheet.labels[k].state, state
        if now == state:
            wanted = State.MISSING if state == State.ABSENT else State.VISIBLE
        fallback = None
        if desk.predicted is not None and np.isfinite(desk.predicted[k]).all():
            fallback = (float(desk.predicted[k, 0]), float(desk.predicted[k, 1]))
        desk.change(desk.sheet.mark(k, wanted, fallback))
        if now == State.MISSING:
            desk.advance()

    return act


def skip_point(desk: Desk) -> None:
    """Leave the active point missing, and name the next."""
    if desk.active is not None:
        desk.skipped.add(desk.active)
        desk.advance()


def nudge(dx: float, dy: float) -> Callable[[Desk], None]:
    """Move the active point by ``dx``, ``dy`` px."""

    def act(desk: Desk) -> None:
        if desk.active is not None:
            desk.change(desk.sheet.nudge(desk.active, dx, dy))

    return act


def outside(desk: Desk) -> list[int]:
    """Keypoints whose label lies outside the image."""
    schema = desk.dataset.schema
    limits = np.array([schema.width, schema.height]) - 0.5
    points = desk.sheet.points
    return [int(k) for k in np.flatnonzero(((points < -0.5) | (points > limits)).any(axis=1))]


def bring_back(desk: Desk) -> None:
    """Move labels outside the image to the nearest place at its edge."""
    points = desk.sheet.points
    desk.change(desk.sheet.place({k: tuple(points[k].tolist()) for k in outside(desk)}))


def choose(k: int) -> Callable[[Desk], None]:
    """Make keypoint ``k`` the active one."""

    def act(desk: Desk) -> None:
        desk.active = k

    return act
