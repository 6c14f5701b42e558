"""What the Train page draws and says, apart from Streamlit: colours, curves, lengths of time."""

from __future__ import annotations

import tomllib
from pathlib import Path

import numpy as np
import pytest

from dashboard.training import times
from dashboard.training.curves import COLORS, ERROR, Course, lines, smoothed
from dashboard.training.settings_table import all_in_words
from dashboard.training.tab import tab_title
from dashboard.training.wish import _NO_SPLIT
from fkd.training.config import SETTINGS, RunConfig
from fkd.training.estimate import Span
from fkd.training.history import Row
from fkd.training.runs import Run
from fkd.training.status import Status

ROOT = Path(__file__).resolve().parents[3]
THEME = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())["theme"]


def luminance(color: str) -> float:
    """Relative luminance as WCAG 2 defines it."""
    parts = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("color", COLORS)
def test_every_line_is_seen_on_both_backgrounds(theme, color):
    light, dark = sorted((luminance(color), luminance(THEME[theme]["backgroundColor"])))[::-1]
    assert (light + 0.05) / (dark + 0.05) >= 3


def test_the_line_between_epochs_has_its_full_colour():
    style = (ROOT / "dashboard" / "line_chart.css").read_text()
    rule = style[style.index(".between {") :]
    assert "opacity" not in rule[: rule.index("}")]


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (480, 640, "8–11 min"),
        (22, 33, "20–35 s"),
        (31, 34, "30–35 s"),
        (300, 300, "5 min"),
        (3, 4, "5 s"),
        (52, 110, "50 s – 2 min"),
        (3000, 4000, "50 min – 1 h 10 min"),
        (7200, 9000, "2 h 00 min – 2 h 30 min"),
    ],
)
def test_a_range_in_words(low, high, words):
    assert times.in_words(Span(low, high)) == words


def test_smoothing_has_no_bias_at_its_beginning_and_keeps_gaps():
    values = [4.0, 4.0, np.nan, 4.0, 0.0]
    found = smoothed(values, 0.9)
    assert found[:2] == pytest.approx([4, 4])
    assert np.isnan(found[2])
    assert 0 < found[4] < 4
    assert smoothed(values, 0.0)[[0, 1, 3, 4]] == pytest.approx([4, 4, 4, 0])


def test_smoothed_lines_have_the_values_themselves_behind_them():
    rows = [Row(n, n, 2.0 * n, 3.0 * n, 2.0 * n, 3.0 * n, seconds=1.0 * n) for n in (1, 2, 3)]
    course = [Course("one", rows, 0)]
    assert [line.kind for line in lines(course, ERROR)] == ["between", "dashed", "solid"]
    kinds = [line.kind for line in lines(course, ERROR, 0.5)]
    assert kinds == ["between", "pale", "dashed", "pale", "solid"]


def test_every_setting_has_a_name():
    told = all_in_words(RunConfig("faces", "abc", _NO_SPLIT))
    assert set(told) == set(SETTINGS.values())


def test_the_tab_tells_how_far_it_is(tmp_path):
    run = Run(tmp_path / "mine")
    runs = [(run, Status("running", epoch=1, epochs=4, steps=3, began={"training": 1.0}))]
    assert tab_title("Browse", runs) == "25 % mine · Browse · fkd workbench"
    assert tab_title("Browse", [(run, Status("running"))]) == "… mine · Browse · fkd workbench"
    assert tab_title("Browse", [(run, Status("queued"))]) == "Browse · fkd workbench"
    assert tab_title("", []) == "fkd workbench"
