"""The order in which images are looked at, and how far that has come."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fkd.labels.reviews import DONE, OPEN, SKIPPED, Review
from fkd.labels.states import Labels, State
from fkd.labels.suspects import Suspect

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Queue:
    """Images to look at, in order.

    Attributes:
        rows: their source rows.
        reasons: why, by row; images that are looked at for no particular reason have none.
    """

    rows: tuple[int, ...]
    reasons: Mapping[int, Suspect]

    def __len__(self) -> int:
        return len(self.rows)

    def only(self, keep: Callable[[int], bool]) -> Queue:
        """The same without the rows that ``keep`` says no to."""
        return Queue(tuple(row for row in self.rows if keep(row)), self.reasons)

    def place(self, row: int) -> int | None:
        """Where ``row`` stands in the order, from 0; None if it is not among them."""
        return self.rows.index(row) if row in self.rows else None

    def step(self, row: int | None, by: int) -> int | None:
        """The row ``by`` places behind ``row``; None beyond the ends. From a row that is not among
        them, the first."""
        at = None if row is None else self.place(row)
        if at is None:
            return next(iter(self.rows), None)
        return self.rows[at + by] if 0 <= at + by < len(self.rows) else None

    def next_open(
        self, row: int | None, reviews: Mapping[int, Review], person: str = ""
    ) -> int | None:
        """The next row behind ``row`` that nobody is done with, then from the beginning; None if
        there is none. With ``person``, only rows that are theirs or nobody's."""
        at = self.place(row) if row is not None else None
        start = 0 if at is None else at + 1
        for other in (*self.rows[start:], *self.rows[:start]):
            review = reviews.get(other, Review(other))
            mine = not person or review.assignee in ("", person)
            if other != row and review.state == OPEN and mine:
                return other
        return None


def of_suspects(suspects: Iterable[Suspect], reasons: Collection[str] = ()) -> Queue:
    """Those of ``suspects`` with one of ``reasons`` (by default, any), in their order."""
    chosen: dict[int, Suspect] = {}
    for suspect in suspects:
        if not reasons or suspect.reason in reasons:
            chosen.setdefault(suspect.row, suspect)
    return Queue(tuple(chosen), chosen)


def of_rows(rows: Iterable[int]) -> Queue:
    """``rows``, for no particular reason."""
    return Queue(tuple(int(row) for row in rows), {})


def unlabelled(labels: Labels) -> Rows:
    """Rows with points that nobody has said anything of, ``(n,)``, ascending."""
    open_points = (labels.states == State.MISSING).any(axis=1)
    return np.asarray(labels.rows[open_points], np.int64)


@dataclass(frozen=True)
class Progress:
    """How many images of a queue are done, skipped and open, and how long the rest takes at the
    pace so far; None before there is one."""

    done: int
    skipped: int
    open: int
    seconds_left: float | None

    @property
    def total(self) -> int:
        return self.done + self.skipped + self.open


def progress(rows: Sequence[int], reviews: Mapping[int, Review], pace: float | None) -> Progress:
    """How far a queue of ``rows`` has come; ``pace`` in seconds for an image, see
    ``reviews.pace``."""
    states = [reviews[row].state for row in rows if row in reviews]
    done, skipped = states.count(DONE), states.count(SKIPPED)
    left = len(rows) - done - skipped
    return Progress(done, skipped, left, None if pace is None else left * pace)
