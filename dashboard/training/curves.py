"""The course of runs as lines of a chart; no Streamlit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dashboard.line_chart import Entry, Line, Mark
from fkd.training.history import Row

COLORS = (
    *("#2a93ad", "#d98324", "#8a6fc4", "#4f9d5d"),
    *("#cc5b7f", "#9a8240", "#5b7fd0", "#8c8c8c"),
)
"""One for each run shown, told apart on light and on dark."""

_MAX_BETWEEN = 800
"""Points of the faint line of one run, at most."""


@dataclass(frozen=True)
class Quantity:
    """What is drawn: fields of ``history.Row``, and the unit after the numbers."""

    title: str
    training: str
    validation: str
    unit: str = ""


ERROR = Quantity("Error", "rmse_px", "val_rmse_px", " px")
LOSS = Quantity("Loss", "loss", "val_loss")


@dataclass(frozen=True)
class Course:
    """One run: its history and its best epoch (0 = none yet)."""

    name: str
    rows: Sequence[Row]
    best_epoch: int


def lines(courses: Sequence[Course], what: Quantity) -> list[Line]:
    """Each run in a colour of its own: validation solid, training dashed, and faint the looks
    between two epochs."""
    drawn = []
    for course, color in zip(courses, COLORS, strict=False):
        prefix = f"{course.name} " if len(courses) > 1 else ""
        between = _thinned(course.rows)
        ends = [row for row in course.rows if row.whole]
        at = [row.epoch for row in ends]
        drawn += [
            Line(
                [row.epoch for row in between],
                [getattr(row, what.training) for row in between],
                color,
                f"{prefix}training",
                "faint",
            ),
            Line(
                at,
                [getattr(row, what.training) for row in ends],
                color,
                f"{prefix}training",
                "dashed",
            ),
            Line(
                [row.epoch for row in course.rows if row.validated],
                [getattr(row, what.validation) for row in course.rows if row.validated],
                color,
                f"{prefix}validation",
            ),
        ]
    return drawn


def _thinned(rows: Sequence[Row]) -> Sequence[Row]:
    if len(rows) <= _MAX_BETWEEN:
        return rows
    return [rows[i] for i in np.linspace(0, len(rows) - 1, _MAX_BETWEEN).round().astype(int)]


def best_marks(courses: Sequence[Course], what: Quantity) -> list[Mark]:
    """Where each run was best; a single run has the value beside it."""
    marks = []
    for course, color in zip(courses, COLORS, strict=False):
        for row in course.rows:
            value = getattr(row, what.validation)
            if row.whole and row.epoch == course.best_epoch and np.isfinite(value):
                words = f"{value:.3g}{what.unit}" if len(courses) == 1 else ""
                marks.append(Mark(row.epoch, value, color, words))
    return marks


def legend(courses: Sequence[Course]) -> list[Entry]:
    """What the colours and kinds of lines stand for."""
    kinds = [
        Entry("validation"),
        Entry("training", "dashed"),
        Entry("between epochs", "faint"),
        Entry("best epoch", "best"),
    ]
    if len(courses) == 1:
        return [Entry(entry.text, entry.kind, COLORS[0]) for entry in kinds]
    named = zip(courses, COLORS, strict=False)
    return [*(Entry(course.name, "solid", color) for course, color in named), *kinds]
