"""The images that the Correct page leads through, in their order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dashboard.correction.view import ALL, UNLABELLED
from dashboard.current import Current


@dataclass(frozen=True)
class Todo:
    """Rows to look at, in order, and why."""

    rows: NDArray[np.int64]

    def place(self, row: int) -> int | None:
        """Where ``row`` stands in the order, from 0; None if it is not among them."""
        found = np.flatnonzero(self.rows == row)
        return int(found[0]) if len(found) else None

    def step(self, row: int, by: int) -> int | None:
        """The row ``by`` places further; None at the end. From a row that is not among them, on
        to the first."""
        at = self.place(row)
        if at is None:
            return int(self.rows[0]) if len(self.rows) else None
        return int(self.rows[at + by]) if 0 <= at + by < len(self.rows) else None


def todo(current: Current, kind: str) -> Todo:
    """The images of the queue ``kind``."""
    rows = np.asarray(current.dataset.rows)
    if kind == ALL:
        return Todo(rows)
    if kind == UNLABELLED:
        return Todo(rows[current.measures.n_present < len(current.dataset.schema)])
    return Todo(rows[np.argsort(-current.measures.outlier, kind="stable")])
