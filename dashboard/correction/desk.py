"""The image that is being corrected, from rerun to rerun: what is edited, what is on the canvas."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from dashboard.correction.drawing import DRAFT, Drawing, Mark, Place
from fkd.dataset import Dataset
from fkd.errors import UserError
from fkd.labels.drafts import keep_draft, with_draft
from fkd.labels.sheet import Sheet
from fkd.labels.states import State
from fkd.labels.store import Conflict, LabelStore

CANVAS = "correct-canvas"
"""Key of the canvas."""
_DESK, _SERIAL = "correct-desk", "correct-serial"


@dataclass
class Desk:
    """One image of ``store.dataset`` on the canvas.

    Attributes:
        sheet: its labels, edited.
        active: the keypoint that a click places and that keys act on.
        skipped: open keypoints that are left for later.
        dismissed: keypoints whose suggested point is not wanted.
        predicted: ``(K, 2)`` px, what the model ``source`` says; NaN without.
        drawing, issued: what is on the canvas, and what the canvas was told.
        conflict: what somebody else changed, until it is decided whose labels hold.
        picture: the face as the canvas shows it, after what it looks like.
        fresh: just opened: nothing was chosen on it yet.
        id: tells this desk from all others.
    """

    store: LabelStore
    author: str
    sheet: Sheet
    active: int | None = None
    skipped: set[int] = field(default_factory=set)
    dismissed: set[int] = field(default_factory=set)
    predicted: NDArray[np.float32] | None = None
    source: str = ""
    drawing: Drawing | None = None
    issued: dict[str, Any] | None = None
    conflict: Conflict | None = None
    picture: tuple[object, str] | None = None
    fresh: bool = True
    id: str = field(default_factory=lambda: uuid.uuid4().hex)

    @property
    def token(self) -> str:
        """Names the save of just these edits: were it on disk already though its answer was lost,
        saving again changes nothing."""
        what = f"{self.store.key} {self.sheet.row} {self.sheet.base} {self.sheet.to_json()}"
        return f"{self.id}-{hashlib.sha256(what.encode()).hexdigest()[:16]}"

    @property
    def dataset(self) -> Dataset:
        return self.store.dataset

    def drafts(self) -> list[int]:
        """Open keypoints that the model has a place for."""
        if self.predicted is None:
            return []
        known = np.isfinite(self.predicted).all(axis=1)
        return [k for k in self.sheet.open_points() if known[k] and k not in self.dismissed]

    def marks(self) -> dict[int, Mark]:
        """What can be dragged."""
        placed = {
            k: Mark(label.place, label.state)
            for k, label in enumerate(self.sheet.labels)
            if label.place is not None
        }
        if self.predicted is None:
            return placed
        return placed | {
            k: Mark((float(self.predicted[k, 0]), float(self.predicted[k, 1])), DRAFT)
            for k in self.drafts()
        }

    def change(self, sheet: Sheet) -> None:
        """Go on with ``sheet``; what is not saved is kept in the database, so that neither moving
        on nor a closed browser loses it."""
        if sheet.labels == self.sheet.labels:
            self.sheet = sheet
            return
        self.sheet = sheet
        keep_draft(self.store, self.author, sheet)

    def absorb(self) -> None:
        """Take over what was done on the canvas since it was looked at last. Every action begins
        with this: what was dragged just before a key was pressed comes in together with it."""
        if self.drawing is None:
            return
        state = (st.session_state.get(CANVAS) or {}).get("drawing") or {}
        moved = self.drawing.moved(state.get("raw"))
        if moved is None:
            return
        if removed := self.drawing.removed(state.get("raw")):
            for k in removed:
                self._take_away(k)
            self.drawing = None  # to be drawn anew: the canvas may bring back what was removed
            return
        if moved:
            self.drawing = self.drawing.after(moved)
            self.change(self.sheet.place(moved))
            # Rounded, they are where the canvas shows them; at the edge, they are not.
            places = {k: self.sheet.labels[k].place for k in moved}
            self.drawing = self.drawing.after(
                {k: p for k, p in places.items() if p is not None and self.drawing.shows(k, p)}
            )
            self.active = next(iter(moved)) if len(moved) == 1 else self.active

    def _take_away(self, k: int) -> None:
        if self.sheet.labels[k].state == State.MISSING:
            self.dismissed.add(k)
        else:
            self.change(self.sheet.mark(k, State.MISSING))

    def look_at(self, keypoints: Sequence[int]) -> None:
        """Begin with the one of ``keypoints`` that it is about, else with the first open one."""
        self.fresh = False
        if len(keypoints) == 1 and self.sheet.labels[keypoints[0]].state.placed:
            self.active = keypoints[0]
        else:
            self.advance()

    def advance(self) -> None:
        """Make the next open keypoint the active one."""
        self.active = self.sheet.next_open(self.active, self.skipped)

    def click(self, place: Place) -> None:
        """A click on the face at ``place`` px places the active point; where that was an open one,
        the next is named."""
        self.absorb()
        if self.active is not None:
            was_open = not self.sheet.labels[self.active].state.placed
            self.change(self.sheet.place({self.active: place}))
            if was_open:
                self.advance()

    def reload(self) -> None:
        """Begin anew with what is saved."""
        number, labels = self.store.labels_of(self.sheet.row)
        self.sheet = Sheet.of(self.dataset.schema, self.sheet.row, number, labels)
        self.conflict = None

    def draw(self, hidden: bool) -> dict[str, Any]:
        """What to tell the canvas: the same as before, unless it has to show something else."""
        places = {} if hidden else {k: mark.place for k, mark in self.marks().items()}
        wanted = Drawing(self.dataset.schema, places, 0)
        # A canvas that was not on the page for a while is built anew, of what it is told here: told
        # what it was told then, it would show points where they were before they were dragged, and
        # hand them back as if they had been dragged there.
        gone = CANVAS not in st.session_state
        if (
            gone
            or self.drawing is None
            or self.issued is None
            or wanted != replace(self.drawing, serial=0)
        ):
            # Another number each time: going back to an earlier drawing must be a new one, as the
            # canvas has been changed by hand since.
            st.session_state[_SERIAL] = st.session_state.get(_SERIAL, 0) % 0xFFFFFF + 1
            self.drawing = replace(wanted, serial=st.session_state[_SERIAL])
            self.issued = self.drawing.to_json()
        return self.issued


def open_desk(store: LabelStore, row: int, author: str) -> Desk:
    """The desk with ``row`` on it: the one at hand, or a new one with what ``author`` had edited
    there before."""
    now = st.session_state.get(_DESK)
    if isinstance(now, Desk) and (now.store.key, now.sheet.row, now.author) == (
        store.key,
        row,
        author,
    ):
        return now
    number, labels = store.labels_of(row)
    sheet = Sheet.of(store.dataset.schema, row, number, labels)
    with suppress(UserError):  # an unreadable draft is no reason not to show the image
        sheet = with_draft(store, author, sheet)
    desk = Desk(store, author, sheet)
    st.session_state[_DESK] = desk
    return desk


def at_hand() -> Desk:
    """The desk that the page was drawn with."""
    desk = st.session_state[_DESK]
    assert isinstance(desk, Desk)
    return desk
