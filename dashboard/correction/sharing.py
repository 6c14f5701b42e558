"""Whose images are whose: what a person works through, and what is given to somebody."""

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
    whose = {"": "Anybody's", NOBODY: "Nobody's yet", **{name: name for name in people}}
    one_of(
        right.selectbox,
        "Whose",
        {**whose, author: f"Mine ({author})"},
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


def give(
    store: LabelStore, shown: View, queue: Queue, reviews: Mapping[int, Review], author: str
) -> None:
    """The form that gives the next open images of ``queue`` to somebody: those that are nobody's,
    or whose they are that ``shown`` asks for."""
    rows = [
        row
        for row in queue.rows
        for review in [reviews.get(row, Review(row))]
        if review.state == OPEN and review.theirs(shown.whose or NOBODY)
    ]
    st.markdown("**Give to somebody**", help="Whoever works down a queue is not shown images that "
                "are somebody else's. Nothing keeps others from opening them.")  # fmt: skip
    if not rows:
        st.caption("No open image of this queue is nobody's: choose whose to pass on above.")
        return
    left, right = st.columns([1, 2])
    n = left.number_input(
        "Images", 1, len(rows), min(len(rows), _AT_A_TIME), key=f"correct-give-n-{len(rows)}"
    )
    who = right.selectbox(
        "Person",
        [NOBODY, *_people(shown, reviews, author)],
        index=None,
        format_func=lambda name: "Nobody" if name == NOBODY else name,
        placeholder="Choose or type a name",
        accept_new_options=True,
        key="correct-give-who",
    )
    st.button(
        f"Give the next {compact(n)} open {'image' if n == 1 else 'images'}",
        key="correct-give",
        disabled=not who,
        width="stretch",
        on_click=safely("giving images", partial(_give, store, rows[:n], who or NOBODY, author)),
    )


def _give(store: LabelStore, rows: list[int], who: str, author: str) -> None:
    person = "" if who == NOBODY else who
    assign(store, rows, person, author)
    images = f"{compact(len(rows))} {'image is' if len(rows) == 1 else 'images are'}"
    tell(f"{images} {plain(person)}'s now." if person else f"{images} anybody's again.")


def _people(shown: View, reviews: Mapping[int, Review], author: str) -> list[str]:
    """Everybody who was given or did anything, the one who looks first."""
    known = {name for review in reviews.values() for name in (review.assignee, review.author)}
    known |= {shown.whose} - {NOBODY}
    return [author, *sorted(known - {"", author}, key=str.casefold)]
