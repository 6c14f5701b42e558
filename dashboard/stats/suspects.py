"""Labels that look wrong: shape outliers, exchanged sides, points outside the image."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from dashboard import loaders, plots, routes
from dashboard.chart import chart
from dashboard.current import Current
from dashboard.keypoint_table import all_rows
from dashboard.stats.pictures import pictures
from dashboard.widgets import show_table
from dashboard.words import compact, share
from fkd.selection import FLAGS, Range, Selection
from fkd.statistics.thresholds import OUTLIER_SCORE

_SHOWN = 16
_FLAGS = {
    "outlier": "The shape of the face is rare among all: a point may be misplaced, or the head is "
    "strongly turned. The most unusual point is named below each face.",
    "swapped": "Points of the subject's left side are labelled as the right side, and the other "
    "way round.",
    "outside": "A point lies outside the image.",
}


def section(current: Current) -> None:
    dataset, m = current.dataset, current.measures
    st.markdown("#### Outlier scores")
    st.caption(
        "How unusual the shape of each face is: a score of 3 means that one face in a thousand is "
        "at least as unusual. Choose a bar to see its images.",
        help="Computed from a model of how the labelled points lie relative to one another, fitted "
        "for each label source.",
    )
    scores = np.asarray(m.outlier)
    end = max(plots.tail(scores[np.isfinite(scores)]), 2 * OUTLIER_SCORE)
    figure = plots.histogram(scores, "outlier score", end=end)
    figure.update_yaxes(plots.count_axis(figure.data[0].y, "images"))
    plots.mark_threshold(figure, OUTLIER_SCORE, f"unusual from {OUTLIER_SCORE:g}")
    if at := chart(figure, "outlier", "Images by outlier score"):
        low, high = at["customdata"]
        routes.browse(
            Selection(ranges=(Range("outlier", low, high),), sort="outlier", descending=True)
        )
    for flag, meaning in _FLAGS.items():
        selection = Selection(flags=(flag,), sort="outlier", descending=True)
        found = loaders.positions(dataset, m, selection)
        head, button = st.columns([5, 1], vertical_alignment="bottom")
        images = "image" if len(found) == 1 else "images"
        label = FLAGS[flag].label
        head.markdown(
            f"#### {label[0].upper()}{label[1:]}: {compact(len(found))} {images} "
            f"({share(len(found), len(dataset))})"
        )
        st.caption(meaning)
        if not len(found):
            st.caption("None found.")
            continue
        if button.button("See all in Browse", key=f"all-{flag}", type="tertiary"):
            routes.browse(selection)
        if len(found) > _SHOWN:
            st.caption(f"The {_SHOWN} with the highest outlier scores:")
        first = found[:_SHOWN]
        notes = [_note(current, int(p)) for p in first] if flag == "outlier" else None
        pictures(current, first, selection, f"suspects-{flag}", edges=True, notes=notes)
    _table(current)


def _oddest(current: Current, position: int) -> tuple[int, float] | None:
    """The point of an image that is odd by itself, and its score; None without one."""
    scores = np.nan_to_num(np.asarray(current.measures.point_outlier[position]), nan=-1.0)
    k = int(scores.argmax())
    return (k, float(scores[k])) if scores[k] >= OUTLIER_SCORE else None


def _note(current: Current, position: int) -> str:
    """The score of the face, and its oddest point."""
    score = f"{current.measures.outlier[position]:.1f}"
    oddest = _oddest(current, position)
    return (
        score if oddest is None else f"{score}: {current.dataset.schema.keypoints[oddest[0]].label}"
    )


def _table(current: Current) -> None:
    """Every marked image with the reasons and its oddest point."""
    dataset, m = current.dataset, current.measures
    flags = {flag: np.asarray(FLAGS[flag].training(m)) for flag in _FLAGS}
    marked = np.flatnonzero(np.any(list(flags.values()), axis=0))
    if not len(marked):
        return
    marked = marked[np.argsort(-m.outlier[marked], kind="stable")]
    oddest = [_oddest(current, int(p)) for p in marked]
    st.markdown(f"#### All {compact(len(marked))} images with odd labels")
    show_table(
        pd.DataFrame(
            {
                "row": dataset.rows[marked],
                "outlier score": m.outlier[marked],
                "most unusual point": [
                    "" if one is None else dataset.schema.keypoints[one[0]].label for one in oddest
                ],
                "its score": [np.nan if one is None else one[1] for one in oddest],
                **{FLAGS[f].label: values[marked] for f, values in flags.items()},
            }
        ),
        f"{dataset.name}-odd-labels",
        height=min(320, all_rows(len(marked))),
        column_config={
            "outlier score": st.column_config.NumberColumn(format="%.1f"),
            "most unusual point": st.column_config.TextColumn(
                help="The point that is unusual by itself; empty where only the whole shape is"
            ),
            "its score": st.column_config.NumberColumn(format="%.1f"),
        },
        alt="All images with odd labels",
    )
