"""Whether a model knows where it is wrong: its expected errors beside the actual ones."""

from __future__ import annotations

import math

import pandas as pd
import streamlit as st

from dashboard.chart import chart
from dashboard.evaluation.charts import calibration_chart
from dashboard.evaluation.controls import Compared
from dashboard.evaluation.view import View
from dashboard.widgets import show_table
from dashboard.words import compact, plain
from fkd.evaluation.expected import Calibration, calibration


def known(compared: Compared) -> bool:
    """Whether one of the models says which errors it expects."""
    return any(result.expected is not None for result in compared.results)


def section(compared: Compared, shown: View) -> None:
    found = [
        (result.model, calibration(result.expected, result.errors))
        for result in compared.results
        if result.expected is not None
    ]
    found = [(name, c) for name, c in found if c.n]
    if not found:
        st.info("None of these images has a label to compare with.")
        return
    left, right = st.columns([1.1, 1], gap="large")
    with left:
        st.markdown("#### Expected and actual errors")
        st.caption(
            "With each point the model says how far off it expects to be. Points of similar "
            "expectation make a dot: on the dashed line they are as far off as expected, above it "
            "farther."
        )
        chart(calibration_chart(found), "calibration", select=False)
    with right:
        for name, c in found:
            st.markdown(f"#### {plain(name)}" if len(compared.results) > 1 else "#### In words")
            st.markdown(_words(c))
            cells = st.columns(3)
            cells[0].metric(
                "Rank correlation",
                _number(c.rank_correlation),
                help="Spearman's: 1 if the points that it doubts most are the ones most off, in "
                "just that order; 0 if its doubts say nothing.",
            )
            cells[1].metric(
                "Actual / expected",
                _number(c.ratio),
                help="Mean actual error over mean expected error: above 1 the model is too sure of "
                "itself, below 1 too cautious.",
            )
            cells[2].metric("Points", compact(c.n))
    frame = pd.DataFrame(
        [
            {
                "model": name,
                "points": b.n,
                "expected from px": b.low,
                "expected to px": b.high,
                "mean expected px": b.expected,
                "mean actual px": b.actual,
            }
            for name, c in found
            for b in c.bins
        ]
    )
    style = st.column_config.NumberColumn(format="%.2f")
    names = "-".join(name for name, _ in found)
    show_table(
        frame,
        f"{names}-{compared.current.dataset.name}-{compared.split}-expected",
        column_config={name: style for name in frame.columns if name.endswith("px")},
    )


def _words(c: Calibration) -> str:
    low, high = c.bins[0], c.bins[-1]
    return (
        f"On average it expects to be {c.expected:.1f} px off and is {c.actual:.1f} px off. "
        f"The {compact(high.n)} points it doubts most are {high.actual:.1f} px off, the "
        f"{compact(low.n)} it is surest of {low.actual:.1f} px."
    )


def _number(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.2f}"
