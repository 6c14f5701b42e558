"""The charts of Statistics and Evaluate: nothing squeezed, and all of it seen in both themes."""

from __future__ import annotations

import tomllib
from pathlib import Path

import numpy as np
import pytest

from dashboard import plots
from dashboard.evaluation.charts import COLORS, gain_chart, keypoint_bars
from dashboard.keypoint_table import ink
from fkd.evaluation.gain import gain
from fkd.evaluation.scores import KeypointScore
from fkd.keypoints import KAGGLE_15

CONFIG = Path(__file__).parent.parent / ".streamlit" / "config.toml"
THEMES = {
    k: v for k, v in tomllib.loads(CONFIG.read_text())["theme"].items() if k in ("light", "dark")
}
KNOWN = len(KAGGLE_15)


def luminance(color: str) -> float:
    channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))


def contrast(one: str, other: str) -> float:
    """As WCAG 2 defines it."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("color", [plots.NEUTRAL, plots.ACCENT, *COLORS])
def test_marks_stand_out_in_both_themes(theme, color):
    assert contrast(color, THEMES[theme]["backgroundColor"]) >= 3


@pytest.mark.parametrize("theme", THEMES)
def test_the_text_of_charts_can_be_read(theme):
    assert contrast(THEMES[theme]["textColor"], THEMES[theme]["backgroundColor"]) >= 4.5


@pytest.mark.parametrize("color", [*(k.color for k in KAGGLE_15.keypoints), "#777777", "#767676"])
def test_words_on_a_keypoints_color_can_be_read(color):
    assert contrast(ink(color), color) >= 4.5


def scores(*rmse: float) -> tuple[KeypointScore, ...]:
    return tuple(
        KeypointScore(name, 10, value, value, value, value, 0.5)
        for name, value in zip(KAGGLE_15.names, rmse, strict=True)
    )


def test_marks_in_a_keypoints_color_have_a_rim_that_stands_out():
    """Some of these colours are too pale for one of the backgrounds."""
    model = scores(*np.linspace(1, 2, KNOWN))
    figures = [
        plots.missing_bars(np.arange(KNOWN), 100, KAGGLE_15),
        keypoint_bars([("a", model), ("b", model)], np.full(KNOWN, 0.5), KAGGLE_15),
    ]
    for figure in figures:
        for bars in figure.select_traces(selector={"type": "bar"}):
            assert (bars.marker.line.color, bars.marker.line.width) == (plots.NEUTRAL, 1)


def test_two_models_bars_differ_by_more_than_their_shade():
    model = scores(*np.linspace(1, 2, KNOWN))
    figure = keypoint_bars([("a", model), ("b", model)], np.full(KNOWN, np.nan), KAGGLE_15)
    first, second, *legend = figure.data
    assert first.marker.color == second.marker.color
    assert (first.marker.pattern.shape, second.marker.pattern.shape) == (None, "/")
    assert [bar.marker.pattern.shape for bar in legend] == [None, "/"]


def test_one_keypoint_that_is_far_off_does_not_squeeze_the_others():
    far = scores(*[1.0] * (KNOWN - 1), 40.0)
    figure = keypoint_bars([("a", far)], np.full(KNOWN, np.nan), KAGGLE_15)
    bars = figure.data[0]
    assert max(bars.x) == 2.5
    assert bars.text[-1] == "40.00 worst"
    assert "cut off at 2.5" in figure.layout.xaxis.title.text
    even = keypoint_bars([("a", scores(*[1.0] * KNOWN))], np.full(KNOWN, np.nan), KAGGLE_15)
    assert even.layout.xaxis.title.text == "RMSE (px)"


def test_one_wide_interval_does_not_squeeze_the_others():
    rng = np.random.default_rng(0)
    truth = np.full((40, KNOWN, 2), 50.0)
    before, after = (truth + rng.normal(0, 1, truth.shape) for _ in (0, 1))
    after[0, 3] += 80
    found = gain(before, after, truth, KAGGLE_15).keypoints
    figure = gain_chart(found, KAGGLE_15)
    assert "cut off at" in figure.layout.xaxis.title.text
    assert figure.layout.xaxis.range[1] < found[3].change_px
    assert [k for k, text in enumerate(figure.data[0].text) if text] == [3]  # it rose most


def test_far_values_go_into_one_last_bar_that_says_so():
    values = np.concatenate([np.linspace(1, 3, 500), [70.0, 71.0]])
    figure = plots.histogram(values, "error (px)")
    bars = figure.data[0]
    assert max(bars.x) < 3.2
    assert bars.customdata[-1][1] == 71
    assert sum(bars.y) == 502
    assert "last bar" in figure.layout.xaxis.title.text
    assert "to 71)" in figure.layout.xaxis.title.text
    low = bars.customdata[-1][0]
    assert bars.y[-1] == (values >= low).sum()  # what a click on it leads to
    even = plots.histogram(np.linspace(1, 3, 500), "error (px)")
    assert even.layout.xaxis.title.text == "error (px)"


def test_a_histogram_of_nothing_is_empty():
    assert sum(plots.histogram(np.full(3, np.nan), "x").data[0].y) == 0


def test_counts_of_very_different_size_stand_on_a_log_axis():
    figure = plots.points_per_image_bars(np.array([0, 0, 1, 0, 1900]))
    assert figure.layout.yaxis.type == "log"
    assert figure.layout.yaxis.title.text == "images (log scale)"
    figure = plots.points_per_image_bars(np.array([0, 0, 600, 0, 1900]))
    assert figure.layout.yaxis.type is None
    assert figure.layout.yaxis.title.text == "images"
