"""Where each keypoint lies: its density over the mean face, and coordinate summaries."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from dashboard import loaders
from dashboard.chart import chart
from dashboard.face_plot import face_figure
from dashboard.links import linked_choice
from dashboard.state import Current
from dashboard.widgets import show_table
from fkd.keypoints import KeypointSchema

_BINS = 96


def section(current: Current) -> None:
    dataset = current.dataset
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
    dataset = current.dataset
    schema: KeypointSchema = dataset.schema
    figure = face_figure(
        loaders.mean_face(dataset), schema, loaders.mean_points(dataset), mark_size=0.9, height=460
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
    # The points stay on top of the shade.
    figure.data = (figure.data[-1], *figure.data[:-1])
    figure.update_layout(dragmode="pan")
    return figure
