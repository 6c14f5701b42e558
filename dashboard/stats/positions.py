"""Where each keypoint lies: its density over the mean face, and coordinate summaries."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from dashboard import loaders
from dashboard.chart import chart
from dashboard.current import Current
from dashboard.face_picture import enlarged_url
from dashboard.keypoint_table import keypoint_table
from dashboard.links import linked_choice
from dashboard.words import compact
from fkd.dataset import Dataset
from fkd.offset import known_offset
from fkd.statistics.missing import source_words

_BINS = 96


def section(current: Current) -> None:
    dataset = current.dataset
    _offset(loaders.ingested(dataset.name))
    schema = dataset.schema
    every = loaders.coordinate_summary(dataset, False)
    spread = _most_spread(every)
    picture, words = st.columns([1, 1], gap="large")
    with words:
        st.markdown("#### On the mean face")
        name = linked_choice(
            st.selectbox, "Keypoint", {k.name: k.label for k in schema.keypoints}, "keypoint"
        )
        k = schema.index(name)
        _in_numbers(every.iloc[2 * k : 2 * k + 2], loaders.point_density(dataset, k, _BINS).outside)
        st.caption(
            "Shading: where the labels of the point lie, the brighter the more. Dots: the mean "
            "position of each point; the one whose labels are spread out most is marked. "
            "Left is the subject's left."
        )
    with picture:
        chart(
            _density_figure(current, k, spread),
            "density",
            f"The mean face with the labels of the {schema.keypoints[k].label} and the mean "
            "position of each point",
            select=False,
        )
    st.markdown("#### Coordinates (px)")
    split = st.toggle(
        "By label source",
        help="Images of the two label sources were labelled separately and place points "
        "differently; compare the means.",
    )
    _table(current, loaders.coordinate_summary(dataset, True) if split else every, spread)


def _most_spread(every: pd.DataFrame) -> int | None:
    """Index of the keypoint whose labels are spread out most, of a row for each coordinate."""
    variance = (every["std"].to_numpy() ** 2).reshape(-1, 2).sum(axis=1)
    return int(np.nanargmax(variance)) if np.isfinite(variance).any() else None


def _in_numbers(of_point: pd.DataFrame, outside: int) -> None:
    """The chosen point, ``of_point`` its x and its y."""
    (_, x), (_, y) = of_point.iterrows()
    cells = st.columns(4)
    cells[0].metric("Labels", compact(int(x["count"])))
    cells[1].metric("Mean x, y (px)", f"{x['mean']:.1f}, {y['mean']:.1f}")
    cells[2].metric(
        "SD x, y (px)",
        f"{x['std']:.1f}, {y['std']:.1f}",
        help="Standard deviation of the labels' coordinates",
    )
    cells[3].metric("Outside", compact(outside), help="Labels that lie outside the image")


def _table(current: Current, summary: pd.DataFrame, spread: int | None) -> None:
    """A row for each coordinate of ``summary``, for each label source if it is by these."""
    dataset, schema = current.dataset, current.dataset.schema
    frame = summary.reset_index()
    keypoints = [schema.coordinate_names.index(name) // 2 for name in frame["coordinate"]]
    frame.insert(0, "keypoint", [schema.keypoints[k].label for k in keypoints])
    frame.insert(1, "axis", [name[-1] for name in frame.pop("coordinate")])
    if "source" in frame:
        words = source_words(current.measures.n_present, len(schema))
        frame["source"] = frame["source"].map(words)
    frame = frame.rename(columns={"count": "labels", "std": "SD"})
    number = st.column_config.NumberColumn(format="%.2f")
    keypoint_table(
        frame,
        schema,
        keypoints,
        f"{dataset.name}-coordinates",
        "Summary of the coordinates of each keypoint (px)",
        marks={row: "most spread" for row, k in enumerate(keypoints) if k == spread},
        column_config={c: number for c in frame.columns if frame[c].dtype.kind == "f"}
        | {"SD": st.column_config.NumberColumn(format="%.2f", help="Standard deviation (px)")},
    )


def _density_figure(current: Current, k: int, spread: int | None) -> go.Figure:
    """The mean face, how often point ``k`` lies where, and the mean of each point; that of
    ``spread`` is marked."""
    dataset, schema = current.dataset, current.dataset.schema
    figure = go.Figure()
    figure.add_layout_image(
        source=enlarged_url(loaders.mean_face(dataset), smooth=True),
        xref="x",
        yref="y",
        # A pixel's centre is its index, so the picture begins half a pixel before index 0.
        x=-0.5,
        y=-0.5,
        sizex=schema.width,
        sizey=schema.height,
        yanchor="top",
        sizing="stretch",
        layer="below",
    )
    density = loaders.point_density(dataset, k, _BINS)
    counts = density.counts.astype(float)
    counts[counts == 0] = np.nan
    color = schema.keypoints[k].color
    figure.add_heatmap(
        z=counts,
        x=(density.x_edges[:-1] + density.x_edges[1:]) / 2,
        y=(density.y_edges[:-1] + density.y_edges[1:]) / 2,
        colorscale=[[0, f"{color}40"], [0.25, f"{color}b0"], [1, "#ffffff"]],
        showscale=False,
        hovertemplate="x %{x:.0f}, y %{y:.0f} px: %{z:,} labels<extra></extra>",
    )
    means = loaders.mean_points(dataset)
    figure.add_scatter(
        x=means[:, 0],
        y=means[:, 1],
        mode="markers",
        marker={
            "color": [p.color for p in schema.keypoints],
            "size": 9,
            "line": {"color": "white", "width": 1.5},
        },
        customdata=[p.label for p in schema.keypoints],
        hovertemplate="%{customdata}: mean x %{x:.2f}, y %{y:.2f} px<extra></extra>",
    )
    if spread is not None and np.isfinite(means[spread]).all():
        figure.add_annotation(
            x=means[spread, 0],
            y=means[spread, 1],
            text="most spread",
            bgcolor="rgba(0,0,0,0.7)",
            arrowcolor="white",
            font={"color": "white", "size": 12},
            ay=36,
            ax=0,
        )
    axis = {"visible": False, "constrain": "domain"}
    figure.update_xaxes(range=[-0.5, schema.width - 0.5], **axis)
    figure.update_yaxes(range=[schema.height - 0.5, -0.5], scaleanchor="x", **axis)
    figure.update_layout(
        height=460,
        margin={"l": 0, "r": 0, "t": 0, "b": 0},
        showlegend=False,
        dragmode="pan",
        plot_bgcolor="rgba(0,0,0,0)",
    )
    return figure


def _offset(dataset: Dataset) -> None:
    """Say so where labels lie to one side of what they mark; known once a training has asked."""
    found = known_offset(dataset)
    if found is None or not found.trusted:
        return
    side = "right" if found.px > 0 else "left"
    st.info(
        f"Labels lie **{abs(found.px):.1f} px to the {side}** of what they mark "
        f"(± {2 * found.error:.1f} px, measured on {compact(found.n)} faces compared with their "
        "mirror images). Training corrects for this when it mirrors images.",
        icon=":material/align_horizontal_center:",
    )
