"""The course of runs as lines of a chart; no Streamlit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dashboard.line_chart import Entry, Kind, Line, Mark
from fkd.training.history import Row

COLORS = (
    *("#2a93ad", "#c26a0c", "#8a6fc4", "#3f8f4f"),
    *("#cc5b7f", "#9a8240", "#5b7fd0", "#7a7f84"),
)
"""One for each run shown; each has a contrast of 3:1 at least to both backgrounds."""

_MAX_BETWEEN = 800
"""Points of the thin line of one run, at most."""


@dataclass(frozen=True)
class Quantity:
    """What is drawn: fields of ``history.Row``, and the unit after the numbers."""

    title: str
    training: str
    validation: str
    unit: str = ""


ERROR = Quantity("RMSE", "rmse_px", "val_rmse_px", " px")
LOSS = Quantity("Loss", "loss", "val_loss")


@dataclass(frozen=True)
class Course:
    """One run: its history, its best epoch (0 = none yet) and its colour."""

    name: str
    rows: Sequence[Row]
    best_epoch: int
    color: str = COLORS[0]


def smoothed(values: ArrayLike, weight: float) -> NDArray[np.float64]:
    """``values`` ``(n,)`` as an exponential moving average that begins without a bias: each counts
    ``weight`` times as much as the one after it. What is not finite stays as it is."""
    given = np.asarray(values, float)
    result, total, norm = given.copy(), 0.0, 0.0
    for index in np.flatnonzero(np.isfinite(given)):
        total = weight * total + (1 - weight) * given[index]
        norm = weight * norm + (1 - weight)
        result[index] = total / norm
    return result


def lines(courses: Sequence[Course], what: Quantity, smoothing: float = 0.0) -> list[Line]:
    """Each run in its colour: validation solid, training dashed, and thin the looks between two
    epochs. Where they are smoothed, the values themselves are drawn pale behind."""
    drawn = []
    for course in courses:
        prefix = f"{course.name} " if len(courses) > 1 else ""
        ends = [row for row in course.rows if row.whole]
        parts: list[tuple[Sequence[Row], str, str, Kind]] = [
            (_thinned(course.rows), what.training, "training", "between"),
            (ends, what.training, "training", "dashed"),
            ([row for row in course.rows if row.validated], what.validation, "validation", "solid"),
        ]
        for rows, field, name, kind in parts:
            x = [row.epoch for row in rows]
            y = [getattr(row, field) for row in rows]
            if smoothing and kind != "between":
                drawn.append(Line(x, y, course.color, "", "pale"))
            drawn.append(
                Line(
                    x,
                    smoothed(y, smoothing) if smoothing else y,
                    course.color,
                    f"{prefix}{name}",
                    kind,
                )
            )
    return drawn


def _thinned(rows: Sequence[Row]) -> Sequence[Row]:
    if len(rows) <= _MAX_BETWEEN:
        return rows
    return [rows[i] for i in np.linspace(0, len(rows) - 1, _MAX_BETWEEN).round().astype(int)]


def best_marks(courses: Sequence[Course], what: Quantity) -> list[Mark]:
    """Where each run was best; a single run has the value beside it."""
    marks = []
    for course in courses:
        for row in course.rows:
            value = getattr(row, what.validation)
            if row.whole and row.epoch == course.best_epoch and np.isfinite(value):
                words = f"{value:.3g}{what.unit}" if len(courses) == 1 else ""
                marks.append(Mark(row.epoch, value, course.color, words))
    return marks


def legend(courses: Sequence[Course]) -> list[Entry]:
    """What the colours and kinds of lines stand for."""
    kinds = [
        Entry("validation"),
        Entry("training", "dashed"),
        Entry("training, between epochs", "between"),
        Entry("best epoch", "best"),
    ]
    if len(courses) == 1:
        return [Entry(entry.text, entry.kind, courses[0].color) for entry in kinds]
    return [*(Entry(course.name, "solid", course.color) for course in courses), *kinds]
