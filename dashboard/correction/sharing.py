"""To whom images are assigned: what a person works through, and what others are to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import streamlit as st

from dashboard.correction.actions import tell
from dashboard.correction.view import View, write
from dashboard.guard import safely
from dashboard.links import bound, one_of
from dashboard.words import compact, plain
from fkd.labels.queue import Queue
from fkd.labels.reviews import DONE, NOBODY, OPEN, SKIPPED, Review, assign
from fkd.labels.store import LabelStore

_STATES = {"": "Any state", OPEN: "Open", DONE: "Done", SKIPPED: "Skipped"}
_AT_A_TIME = 50


def filters(shown: View, reviews: Mapping[int, Review], author: str) -> None:
    """The choice of the state and the person whose images are shown."""
    people = _people(shown, reviews, author)
    left, right = st.columns(2)
    one_of(
        left.selectbox,
        "State",
        _STATES,
        bound("correct-state", shown.state, lambda s: write(replace(shown, row=None, state=s))),
    )
    whose = {"": "Anybody or nobody", NOBODY: "Nobody", **{name: name for name in people}}
    one_of(
        right.selectbox,
        "Assigned to",
        {**whose, author: f"Me ({author})"},
        bound("correct-whose", shown.whose, lambda w: write(replace(shown, row=None, whose=w))),
    )


def fitting(
    queue: Queue, shown: View, reviews: Mapping[int, Review], row: int | None
) -> tuple[Queue, Queue]:
    """The images of ``queue`` of the person that ``shown`` names, and those among them that are in
    its state; ``row`` is among both if it is in the queue at all, so that one goes on from it
    whatever has just become of it."""

    def review(other: int) -> Review:
        return reviews.get(other, Review(other))

    if shown.whose:
        queue = queue.only(lambda other: other == row or review(other).theirs(shown.whose))
    if not shown.state:
        return queue, queue
    return queue, queue.only(lambda other: other == row or review(other).state == shown.state)


def assigning(
    store: LabelStore, shown: View, queue: Queue, reviews: Mapping[int, Review], author: str
) -> None:
    """The form that assigns the next open images of ``queue``: those that are nobody's, or whose
    they are that ``shown`` asks for."""
    rows = [
        row
        for row in queue.rows
        for review in [reviews.get(row, Review(row))]
        if review.state == OPEN and review.theirs(shown.whose or NOBODY)
    ]
    st.markdown(
        "**Assign images**",
        help="Whoever works through a queue is not led to images that are assigned to others. "
        "Anybody can still open them.",
    )
    if not rows:
        st.caption(
            "Every open image of this queue is assigned. To assign one to somebody else, choose "
            "above who has it."
        )
        return
    left, right = st.columns([1, 2])
    n = left.number_input(
        "Images", 1, len(rows), min(len(rows), _AT_A_TIME), key=f"correct-assign-n-{len(rows)}"
    )
    who = right.selectbox(
        "Assign to",
        [NOBODY, *_people(shown, reviews, author)],
        index=None,
        format_func=lambda name: "Nobody" if name == NOBODY else name,
        placeholder="Choose or type a name",
        accept_new_options=True,
        key="correct-assign-who",
    )
    st.button(
        f"Assign the next {compact(n)} open {'image' if n == 1 else 'images'}",
        key="correct-assign",
        disabled=not who,
        width="stretch",
        on_click=safely(
            "assigning images", partial(_assign, store, rows[:n], who or NOBODY, author)
        ),
    )


def _assign(store: LabelStore, rows: list[int], who: str, author: str) -> None:
    person = "" if who == NOBODY else who
    assign(store, rows, person, author)
    images = f"{compact(len(rows))} {'image is' if len(rows) == 1 else 'images are'}"
    tell(f"{images} assigned to {plain(person) if person else 'nobody'} now.")


def _people(shown: View, reviews: Mapping[int, Review], author: str) -> list[str]:
    """Everybody who was assigned or did anything, the one who looks first."""
    known = {name for review in reviews.values() for name in (review.assignee, review.author)}
    known |= {shown.whose} - {NOBODY}
    return [author, *sorted(known - {"", author}, key=str.casefold)]
