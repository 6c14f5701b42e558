"""What the Correct page shows, as far as it stands in the link."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from dashboard.links import Parameters
from fkd.labels.suspects import MISSING, UNSURE

PARAMETERS = Parameters("correct", ("row", "queue", "model"))

SUSPECTS, UNLABELLED, ALL = "suspects", "unlabelled", "all"
QUEUES = {
    SUSPECTS: "Probably wrong",
    MISSING: "Missing, a model is sure",
    UNSURE: "A model is unsure",
    UNLABELLED: "Missing points, by row",
    ALL: "All, by row",
}
"""What there is to look at, by the word used in links."""

UNSEEN = ""
"""Stands for a model that never saw the image, whichever that is."""


@dataclass(frozen=True)
class View:
    """Everything that a link to Correct fixes, apart from the dataset.

    Attributes:
        row: source row of the image on the canvas; None for the first of the queue.
        queue: key of ``QUEUES``.
        model: whose predictions are the drafts.
    """

    row: int | None = None
    queue: str = SUSPECTS
    model: str = UNSEEN

    def to_query(self) -> dict[str, str]:
        """As query parameters."""
        row = {} if self.row is None else {"row": str(self.row)}
        model = {"model": self.model} if self.model else {}
        return {**row, "queue": self.queue, **model}

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> Self:
        """Read a link; what makes no sense falls back to the default."""
        row, queue = query.get("row", ""), query.get("queue", SUSPECTS)
        return cls(
            int(row) if row.isascii() and row.isdigit() and len(row) < 12 else None,
            queue if queue in QUEUES else SUSPECTS,
            query.get("model", UNSEEN)[:64],
        )


def enter() -> View:
    """The view to show now."""
    return View.from_query(PARAMETERS.asked())


def write(view: View) -> None:
    """Put ``view`` into the address bar."""
    PARAMETERS.write(view.to_query())
