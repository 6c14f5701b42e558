"""The numbers in full: by label source, by keypoint, and as a curve."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import streamlit as st

from dashboard import plots, predictions, routes
from dashboard.chart import chart
from dashboard.evaluation import truth
from dashboard.evaluation.charts import COLORS, ced_chart, keypoint_bars, worst_keypoint
from dashboard.evaluation.controls import Compared
from dashboard.evaluation.metrics import KEYPOINT_METRICS, METRICS
from dashboard.evaluation.view import View
from dashboard.keypoint_table import keypoint_table
from dashboard.widgets import download_table, show_table
from dashboard.words import plain
from fkd.columns import ERROR
from fkd.evaluation.learned import listed, taught
from fkd.evaluation.metrics import ced
from fkd.evaluation.results import UNFLAGGED
from fkd.evaluation.scores import ALL_ROWS
from fkd.selection import Range
from fkd.statistics.missing import source_words

_LIMIT, _FARTHEST = 0.08, 0.2
_ENOUGH = 20
"""Coordinates labelled twice from which on the noise of a keypoint's labels is shown."""
_LEARNED = "training labels"
_IMAGES = {ALL_ROWS: "all images", UNFLAGGED: "images without unusual shapes or swapped sides"}
"""What the rows of scores that are no label source are called."""


def section(compared: Compared, shown: View) -> None:
    left, right = st.columns(2, gap="large")
    with left:
        _curve(compared)
        _histograms(compared)
    with right:
        _keypoints(compared)
    _sources(compared)
    _keypoint_table(compared)


def _file(compared: Compared, what: str) -> str:
    name = "-".join([*compared.names, compared.current.dataset.name, compared.split])
    return f"{name}-{what}"


def _curve(compared: Compared) -> None:
    st.markdown("#### Cumulative error distribution")
    st.caption(
        "The share of images whose NME is at most the value below. Higher and further left is "
        "better.",
        help="Also called CED curve. NME is the mean distance of an image's points from their "
        "labels, as a percentage of the distance between its eye centers.",
    )
    known = [r for r in compared.results if np.isfinite(r.nme).any()]
    if not known:
        st.caption("No image has both eye centers labelled, so there is no NME.")
        return
    at = np.linspace(0, _FARTHEST, 201)
    curves = [(r.model, ced(r.nme, at)) for r in known]
    chart(
        ced_chart(curves, at, _LIMIT),
        "ced",
        f"Cumulative error distribution of {listed(name for name, _ in curves)}: the share of "
        "images by the largest NME",
        select=False,
    )
    frame = pd.DataFrame({"NME (%)": (100 * at).round(2), **dict(curves)})
    download_table(frame, _file(compared, "ced"))


def _histograms(compared: Compared) -> None:
    """Images by their error; a bar leads to its images."""
    current = compared.current
    if not any(np.nanmax(result.error, initial=0.0) for result in compared.results):
        return
    # Otherwise Browse has more images than were scored, or other errors.
    count = len(current.dataset.schema)
    own = all(np.array_equal(taught(r.learned, count), r.counted) for r in compared.results)
    exact = own and not compared.part.differ and truth.is_latest(current)
    st.markdown("#### Error of each image")
    # Both by the same measure: what is far off for one model must not squeeze the other.
    everything = np.concatenate([result.error for result in compared.results])
    end = plots.tail(everything[np.isfinite(everything)])
    for number, result in enumerate(compared.results):
        name = f"**{plain(result.model)}**: mean" if len(compared.results) > 1 else "Mean"
        st.caption(
            f"{name} distance of an image's points from their labels. Half of the images are below "
            f"{np.nanmedian(result.error):.2f} px."
            + (" Choose a bar to see its images." if exact else "")
        )
        figure = plots.histogram(result.error, "error (px)", end=end)
        figure.update_traces(marker_color=COLORS[number])
        figure.update_xaxes(range=[0, end * 1.02])
        figure.update_layout(height=200)
        alt = f"Images by the mean error of {result.model} (px)"
        if at := chart(figure, f"errors-{number}", alt, select=exact):
            low, high = at["customdata"]
            chosen = compared.selection(number)
            routes.browse(replace(chosen, ranges=(Range(ERROR, low, high),)))
    errors = {f"{result.model} error (px)": result.error for result in compared.results}
    frame = pd.DataFrame({"row": compared.results[0].rows, **errors})
    download_table(frame, _file(compared, "images"))


def _sources(compared: Compared) -> None:
    st.markdown("#### By label source")
    words = _IMAGES | source_words(
        compared.current.measures.n_present, len(compared.current.dataset.schema)
    )
    lines = []
    for result in compared.results:
        for rows, score in result.scores.items():
            line = {"model": result.model} if len(compared.results) > 1 else {}
            line |= {"images of": words[rows], "images": score.n_images}
            line |= {"labels": score.n_points}
            lines.append(line | {m.heading: m.number(getattr(score, m.key)) for m in METRICS})
    config = {
        m.heading: st.column_config.NumberColumn(format=m.style, help=m.help) for m in METRICS
    }
    show_table(
        pd.DataFrame(lines),
        _file(compared, "scores"),
        column_config=config,
        alt="All metrics by label source",
    )


def _keypoints(compared: Compared) -> None:
    current = compared.current
    noise = predictions.noise(current.dataset, current.measures).per_keypoint.values()
    floors = [d.floor_rmse_px if d.coordinates >= _ENOUGH else np.nan for d in noise]
    st.markdown("#### Each keypoint")
    scores = [(r.model, r.scores[ALL_ROWS].per_keypoint) for r in compared.results]
    chart(
        keypoint_bars(scores, np.array(floors), current.dataset.schema),
        "keypoints",
        "RMSE of each keypoint (px); the numbers are in the table by keypoint below",
        select=False,
    )


def _keypoint_table(compared: Compared) -> None:
    """A row for each keypoint, of two models one for each; the worst of each model is marked."""
    schema = compared.current.dataset.schema
    two = len(compared.results) > 1
    lines: list[dict[str, object]] = []
    marks = {}
    for k, keypoint in enumerate(schema.keypoints):
        for result in compared.results:
            scores = result.scores[ALL_ROWS].per_keypoint
            if k == worst_keypoint(scores):
                marks[len(lines)] = "worst"
            line: dict[str, object] = {"keypoint": keypoint.label}
            line |= {"model": result.model} if two else {}
            line["labels"] = scores[k].n
            line[_LEARNED] = None if result.learned is None else int(result.learned[k])
            line |= {m.heading: m.number(getattr(scores[k], m.key)) for m in KEYPOINT_METRICS}
            lines.append(line)
    frame = pd.DataFrame(lines)
    if all(result.learned is None for result in compared.results):
        del frame[_LEARNED]
    st.markdown("#### By keypoint")
    keypoint_table(
        frame,
        schema,
        [k for k in range(len(schema)) for _ in compared.results],
        _file(compared, "keypoints"),
        "Errors of each keypoint",
        marks=marks,
        column_config={
            "model": st.column_config.TextColumn(width=90),
            _LEARNED: st.column_config.NumberColumn(
                help="How many labels of the point the model was trained on, those of drawn faces "
                "and, where images are mirrored, of its mirror point included. A point without any "
                "cannot be learned and is not scored."
            ),
            **{
                m.heading: st.column_config.NumberColumn(format=m.style, help=m.help)
                for m in KEYPOINT_METRICS
            },
        },
    )
