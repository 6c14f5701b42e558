"""Labels that look wrong: shape outliers, exchanged sides, points outside the image."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from dashboard import loaders, plots, routes
from dashboard.chart import chart
from dashboard.current import Current
from dashboard.stats.pictures import pictures
from dashboard.widgets import show_table
from dashboard.words import compact, count_share
from fkd.selection import FLAGS, Range, Selection
from fkd.statistics.thresholds import OUTLIER_SCORE

_SHOWN = 16
_FLAGS = {
    "outlier": "The face's shape is rare among all: a point may have slipped, or the face is "
    "turned far.",
    "swapped": "Points of the subject's left carry the names of the right and the other way round.",
    "outside": "A point lies outside the image.",
}


def section(current: Current) -> None:
    dataset, m = current.dataset, current.measures
    st.markdown("#### How rare each face's shape is")
    st.caption(
        "Outlier score: 3 means that one face in a thousand is at least as unusual as this one, "
        "by a model of how the present points lie to one another, fitted for each label source. "
        "Choose a bar to see its images."
    )
    figure = plots.histogram(np.asarray(m.outlier), "outlier score")
    figure.update_yaxes(type="log")
    plots.mark_threshold(figure, OUTLIER_SCORE, f"marked from {OUTLIER_SCORE:g} on")
    if at := chart(figure, "outlier"):
        low, high = at["customdata"]
        routes.browse(
            Selection(ranges=(Range("outlier", low, high),), sort="outlier", descending=True)
        )
    for flag, meaning in _FLAGS.items():
        selection = Selection(flags=(flag,), sort="outlier", descending=True)
        found = loaders.positions(dataset, m, selection)
        head, button = st.columns([5, 1], vertical_alignment="bottom")
        head.markdown(
            f"#### {FLAGS[flag].label.capitalize()}: {count_share(len(found), len(dataset))}"
        )
        st.caption(meaning)
        if not len(found):
            st.caption("None found.")
            continue
        if button.button("See all in Browse", key=f"all-{flag}", type="tertiary"):
            routes.browse(selection)
        pictures(current, found[:_SHOWN], selection, f"suspects-{flag}", edges=True)
    _table(current)


def _table(current: Current) -> None:
    """Every marked image with the reasons and its oddest point."""
    dataset, m = current.dataset, current.measures
    flags = {flag: np.asarray(FLAGS[flag].training(m)) for flag in _FLAGS}
    marked = np.flatnonzero(np.any(list(flags.values()), axis=0))
    if not len(marked):
        return
    marked = marked[np.argsort(-m.outlier[marked], kind="stable")]
    points = np.nan_to_num(np.asarray(m.point_outlier[marked]), nan=-1.0)
    worst = points.argmax(axis=1)
    score = points[np.arange(len(marked)), worst]
    st.markdown(f"#### All {compact(len(marked))} marked images")
    show_table(
        pd.DataFrame(
            {
                "row": dataset.rows[marked],
                "outlier score": m.outlier[marked],
                "oddest point": np.where(
                    score >= OUTLIER_SCORE,
                    [dataset.schema.keypoints[k].label for k in worst],
                    "none by itself",
                ),
                "its score": score,
                **{FLAGS[f].label: values[marked] for f, values in flags.items()},
            }
        ),
        f"{dataset.name}-odd-labels",
        height=320,
        column_config={
            "outlier score": st.column_config.NumberColumn(format="%.1f"),
            "its score": st.column_config.NumberColumn(format="%.1f"),
        },
    )
