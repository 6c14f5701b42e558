"""Where each keypoint lies: its density over the mean face, and coordinate summaries."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from dashboard import loaders
from dashboard.chart import chart
from dashboard.current import Current
from dashboard.face_picture import enlarged_url
from dashboard.links import linked_choice
from dashboard.widgets import show_table
from dashboard.words import compact
from fkd.dataset import Dataset
from fkd.offset import known_offset

_BINS = 96


def section(current: Current) -> None:
    dataset = current.dataset
    _offset(loaders.ingested(dataset.name))
    schema = dataset.schema
    picture, tables = st.columns([1, 1.15], gap="large")
    with picture:
        st.markdown("#### Over the mean face")
        name = linked_choice(
            st.selectbox,
            "Keypoint",
            {k.name: k.label for k in schema.keypoints},
            "keypoint",
            label_visibility="collapsed",
        )
        chart(_density_figure(current, schema.index(name)), "density", select=False)
        st.caption(
            "Shade: how many labels lie there. Dots: the mean of each point. Left is the "
            "subject's left."
        )
    with tables:
        st.markdown("#### Coordinates")
        split = st.toggle(
            "By label source",
            help="Many-point and few-point images were labelled apart and place points "
            "differently; compare the means.",
        )
        frame = loaders.coordinate_summary(dataset, split).reset_index()
        number = st.column_config.NumberColumn(format="%.2f")
        show_table(
            frame,
            f"{dataset.name}-coordinates",
            height=560,
            column_config={c: number for c in frame.columns if frame[c].dtype.kind == "f"},
        )


def _density_figure(current: Current, k: int) -> go.Figure:
    """The mean face, how often point ``k`` lies where, and the mean of each point."""
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
        f"Labels lie **{abs(found.px):.1f} px to the {side}** of what they mark, give or take "
        f"{2 * found.error:.1f} px: measured on {compact(found.n)} faces laid over their mirror "
        "images. Trainings take that into account when they mirror images.",
        icon=":material/align_horizontal_center:",
    )
