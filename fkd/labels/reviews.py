"""What became of the images that somebody was to look at: open, done or skipped, and whose they
are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

from sqlalchemy import text

from fkd.errors import UserError
from fkd.labels.database import transaction
from fkd.labels.store import LabelStore, check_author

OPEN, DONE, SKIPPED = "open", "done", "skipped"
STATES = (OPEN, DONE, SKIPPED)
NOBODY = "-"
"""Stands for the person that an image has not been given to."""


@dataclass(frozen=True)
class Review:
    """The state of one image, whose it is (empty: anybody's), who said so and when."""

    row: int
    state: str = OPEN
    assignee: str = ""
    author: str = ""
    at: str = ""

    def theirs(self, whose: str) -> bool:
        """Whether it is the image of ``whose``; ``NOBODY`` stands for nobody, "" for whoever."""
        return whose in ("", self.assignee or NOBODY)


def reviews(store: LabelStore) -> dict[int, Review]:
    """The images of which anything was said, by row; all others are open and nobody's."""
    with transaction(store.url) as connection:
        found = connection.execute(
            text("SELECT image, state, assignee, author, at FROM reviews WHERE dataset = :dataset"),
            {"dataset": store.key},
        )
        return {int(values[0]): Review(*values) for values in found}


def set_state(store: LabelStore, row: int, state: str, author: str) -> None:
    """Say that ``row`` is ``state`` now."""
    if state not in STATES:
        raise UserError(f"There is no state {state!r}; there are: {', '.join(STATES)}.")
    _upsert(store, [row], check_author(author), {"state": state}, "state, author, at")


def assign(store: LabelStore, rows: Iterable[int], assignee: str, author: str) -> None:
    """Say that ``rows`` are ``assignee``'s; an empty name makes them anybody's again. Who has done
    or skipped one, and when, stays."""
    person = check_author(assignee) if assignee.strip() else ""
    _upsert(store, list(rows), check_author(author), {"assignee": person}, "assignee")


def _upsert(
    store: LabelStore, rows: list[int], author: str, values: dict[str, str], columns: str
) -> None:
    """Set ``columns`` where there is an entry; where there is none, make one of ``values``."""
    if not rows:
        return
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    new = {"state": OPEN, "assignee": "", **values, "author": author, "at": now}
    update = ", ".join(f"{column} = excluded.{column}" for column in columns.split(", "))
    with transaction(store.url, write=True) as connection:
        connection.execute(
            text(
                "INSERT INTO reviews (dataset, image, state, assignee, author, at) "
                "VALUES (:dataset, :image, :state, :assignee, :author, :at) "
                f"ON CONFLICT (dataset, image) DO UPDATE SET {update}"
            ),
            [{**new, "dataset": store.key, "image": int(row)} for row in rows],
        )


def pace(store: LabelStore, author: str, last: int = 20) -> float | None:
    """Seconds that ``author`` takes for an image, by the ``last`` ones done: the median of the
    times between them, pauses of more than ten minutes left out; None before there are any."""
    with transaction(store.url) as connection:
        found = connection.execute(
            text(
                "SELECT at FROM reviews WHERE dataset = :dataset AND author = :author "
                "AND state <> :open ORDER BY at DESC LIMIT :last"
            ),
            {"dataset": store.key, "author": author, "open": OPEN, "last": last + 1},
        )
        times = [datetime.fromisoformat(at) for (at,) in found]
    gaps = sorted((b - a).total_seconds() for b, a in pairwise(times))
    gaps = [gap for gap in gaps if gap <= _PAUSE_S]
    return gaps[len(gaps) // 2] if gaps else None


_PAUSE_S = 600
