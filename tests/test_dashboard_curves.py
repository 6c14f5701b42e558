"""The course of runs as lines: what is drawn, thinned, marked and named."""

from __future__ import annotations

import numpy as np
import pytest

from dashboard.line_chart import _with_gaps
from dashboard.training.curves import (
    COLORS,
    ERROR,
    LOSS,
    Course,
    best_marks,
    legend,
    lines,
)
from dashboard.training.view import MAX_SHOWN
from fkd.training.history import Row


def course(
    name: str = "a", epochs: int = 3, between: int = 1, best: int = 2, color: str = COLORS[0]
) -> Course:
    rows = []
    for n in range(epochs):
        rows += [Row(n + (k + 1) / (between + 1), k, 9.0, 6.0) for k in range(between)]
        rows.append(Row(n + 1.0, n, 8.0, 5.0, val_loss=7.0 - n, val_rmse_px=4.0 - n))
    return Course(name, rows, best, color)


def test_a_run_is_three_lines_of_one_colour():
    thin, training, validation = lines([course()], ERROR)
    assert {thin.color, training.color, validation.color} == {COLORS[0]}
    assert (thin.kind, training.kind, validation.kind) == ("between", "dashed", "solid")
    assert list(validation.x) == [1, 2, 3]
    assert list(validation.y) == [4, 3, 2]
    assert list(training.y) == [5, 5, 5]
    assert len(thin.x) == 6
    assert list(lines([course()], LOSS)[2].y) == [7, 6, 5]


def test_only_several_runs_are_named():
    assert [line.name for line in lines([course("a")], ERROR)][2] == "validation"
    assert [line.name for line in lines([course("a"), course("b")], ERROR)][5] == "b validation"
    assert [entry.text for entry in legend([course("a"), course("b")])][:2] == ["a", "b"]
    assert legend([course("a")])[0].text == "validation"


def test_there_is_a_colour_for_every_run_shown():
    assert len(set(COLORS)) >= MAX_SHOWN


def test_long_courses_are_thinned_but_keep_their_ends():
    long = course(epochs=400, between=9)
    thin, _, validation = lines([long], ERROR)
    assert len(thin.x) == 800
    assert (thin.x[0], thin.x[-1]) == (long.rows[0].epoch, 400)
    assert len(validation.x) == 400


def test_the_best_epoch_is_marked_with_its_value():
    [mark] = best_marks([course()], ERROR)
    assert (mark.x, mark.y, mark.text) == (2, 3, "3 px")
    first, second = best_marks([course("a"), course("b", best=3, color=COLORS[1])], ERROR)
    assert (first.text, second.text) == ("", "")
    assert (second.x, second.color) == (3, COLORS[1])
    assert best_marks([course(best=0)], ERROR) == []


def test_what_is_not_finite_is_a_gap():
    assert _with_gaps([1.0, np.nan, np.inf, 2.0]) == [1.0, None, None, 2.0]


@pytest.mark.parametrize("rows", [[], [Row(0.5, 1, 9.0, 6.0)]])
def test_before_the_first_epoch_there_is_at_most_the_thin_line(rows):
    drawn = lines([Course("a", rows, 0)], ERROR)
    assert [len(line.x) for line in drawn] == [len(rows), 0, 0]
