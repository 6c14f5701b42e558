"""What the Correct page shows, as far as it stands in the link."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from dashboard.links import Parameters
from fkd.labels.reviews import STATES
from fkd.labels.store import LONGEST_NAME
from fkd.labels.suspects import MISSING, REASONS, UNSURE

PARAMETERS = Parameters(
    "correct", ("row", "queue", "of", "reasons", "state", "whose", "model", "snapshot")
)

SUSPECTS, UNLABELLED, ALL, BROWSED = "suspects", "unlabelled", "all", "browsed"
QUEUES = {
    SUSPECTS: "Likely label errors",
    MISSING: "Missing labels that a model can add",
    UNSURE: "Uncertain predictions",
    UNLABELLED: "All images with missing labels",
    ALL: "All images",
    BROWSED: "Selected in Browse",
}
"""What there is to look at, by the word used in links."""

_MAX_SELECTION = 2000
"""Letters of a selection in a link: more than any that Browse writes."""

UNSEEN = ""
"""Stands for the reference model, whichever that is."""


@dataclass(frozen=True)
class View:
    """Everything that a link to Correct fixes, apart from the dataset.

    Attributes:
        row: source row of the image on the canvas; None for the first of the queue.
        queue: key of ``QUEUES``.
        of: what was selected in Browse, as its link has it, for the queue ``BROWSED``.
        reasons: keys of ``suspects.REASONS``: only images with one of these, for likely label
            errors; empty for any.
        state: only images in this state, see ``reviews``; empty for any.
        whose: only images of this person; ``NOBODY``, or empty for anybody's.
        model: whose predictions are suggested.
        snapshot: id of the snapshot that the queue is of; empty for a fresh one.
    """

    row: int | None = None
    queue: str = SUSPECTS
    of: str = ""
    reasons: tuple[str, ...] = ()
    state: str = ""
    whose: str = ""
    model: str = UNSEEN
    snapshot: str = ""

    def to_query(self) -> dict[str, str]:
        """As query parameters."""
        row = "" if self.row is None else str(self.row)
        words = {"of": self.of, "reasons": ",".join(self.reasons), "state": self.state}
        others = {"whose": self.whose, "model": self.model, "snapshot": self.snapshot}
        said = {"row": row, "queue": self.queue, **words, **others}
        return {key: value for key, value in said.items() if value}

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> Self:
        """Read a link; what makes no sense falls back to the default."""
        row, queue = query.get("row", ""), query.get("queue", SUSPECTS)
        state = query.get("state", "")
        return cls(
            int(row) if row.isascii() and row.isdigit() and len(row) < 12 else None,
            queue if queue in QUEUES else SUSPECTS,
            query.get("of", "")[:_MAX_SELECTION],
            tuple(r for r in REASONS if r in query.get("reasons", "").split(",")),
            state if state in STATES else "",
            query.get("whose", "")[:LONGEST_NAME],
            query.get("model", UNSEEN)[:64],
            query.get("snapshot", "")[:64],
        )


def enter() -> View:
    """The view to show now."""
    return View.from_query(PARAMETERS.asked())


def write(view: View) -> None:
    """Put ``view`` into the address bar."""
    PARAMETERS.write(view.to_query())
