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
        st.info("These images have no labels to compare with.")
        return
    left, right = st.columns([1.1, 1], gap="large")
    with left:
        st.markdown("#### Expected and actual errors")
        st.caption(
            "The model gives an expected error with each predicted point. Each mark stands for a "
            "tenth of the points: on the dashed line their errors are as expected, above it larger."
        )
        chart(
            calibration_chart(found),
            "calibration",
            "Actual errors by expected errors (px); the numbers are in the table below",
            select=False,
        )
    with right:
        for name, c in found:
            st.markdown(f"#### {plain(name)}" if len(compared.results) > 1 else "#### Summary")
            st.markdown(_words(c))
            cells = st.columns(3)
            cells[0].metric(
                "Rank correlation",
                _number(c.rank_correlation),
                help="Spearman's rank correlation between expected and actual errors: 1 if both "
                "put the points in the same order, 0 if the expected errors say nothing.",
            )
            cells[1].metric(
                "Actual / expected",
                _number(c.ratio),
                help="Mean actual error divided by mean expected error: above 1, expected errors "
                "are too small; below 1, too large.",
            )
            cells[2].metric("Points", compact(c.n))
    frame = pd.DataFrame(
        [
            {
                "model": name,
                "points": b.n,
                "expected from (px)": b.low,
                "expected to (px)": b.high,
                "mean expected (px)": b.expected,
                "mean actual (px)": b.actual,
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
        column_config={name: style for name in frame.columns if name.endswith("(px)")},
        alt="Expected and actual errors",
    )


def _words(c: Calibration) -> str:
    low, high = c.bins[0], c.bins[-1]
    return (
        f"Mean expected error {c.expected:.1f} px, mean actual error {c.actual:.1f} px. The "
        f"{compact(high.n)} points with the largest expected errors have a mean error of "
        f"{high.actual:.1f} px, the {compact(low.n)} with the smallest {low.actual:.1f} px."
    )


def _number(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.2f}"
