"""The charts of the Statistics page, as Plotly figures; no Streamlit, no data access."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from dashboard.words import share, short_label
from fkd.keypoints import KeypointSchema

NEUTRAL = "#7b8f98"
ACCENT = "#2a93ad"  # stands out on light and on dark
MISSING = "#b9c1c2"


def styled(figure: go.Figure, height: int, **layout: object) -> go.Figure:
    """``figure`` with what all charts have in common."""
    figure.update_layout(
        height=height,
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        dragmode=False,
        clickmode="event+select",
        bargap=0.18,
        **layout,
    )
    # A chosen bar leads to another page; fading the others meanwhile would only flicker.
    figure.update_traces(unselected={"marker": {"opacity": 1}}, selector={"type": "bar"})
    return figure


def present_bars(counts: NDArray[np.int64], rows: int, schema: KeypointSchema) -> go.Figure:
    """Labelled images of each keypoint, ``counts`` ``(K,)``, in the keypoint's colour."""
    figure = go.Figure(
        go.Bar(
            x=counts,
            y=[k.label for k in schema.keypoints],
            orientation="h",
            marker_color=[k.color for k in schema.keypoints],
            customdata=[[rows - int(c), share(rows - int(c), rows)] for c in counts],
            hovertemplate="%{y}: %{x:,} labelled, %{customdata[0]:,} missing "
            "(%{customdata[1]})<extra></extra>",
            text=[share(int(c), rows) for c in counts],
            textposition="auto",
        )
    )
    figure.update_yaxes(autorange="reversed", fixedrange=True, showgrid=False)
    figure.update_layout(hovermode="y")
    figure.update_xaxes(title="images with this point", range=[0, rows], fixedrange=True)
    return styled(figure, 34 * len(schema) + 60)


def points_per_image_bars(histogram: NDArray[np.int64]) -> go.Figure:
    """Images by number of labelled points, ``histogram`` ``(K + 1,)``."""
    figure = go.Figure(
        go.Bar(
            x=list(range(len(histogram))),
            y=histogram,
            marker_color=ACCENT,
            hovertemplate="%{x} points: %{y:,} images<extra></extra>",
        )
    )
    figure.update_xaxes(title="labelled points of an image", dtick=1, fixedrange=True)
    figure.update_layout(hovermode="x")  # a bar of one pixel can be chosen too
    figure.update_yaxes(title="images", fixedrange=True)
    return styled(figure, 300)


def pattern_chart(
    patterns: Sequence[tuple[NDArray[np.bool_], int]], rows: int, schema: KeypointSchema
) -> go.Figure:
    """The most frequent combinations of present points: dots for the points, bars for images."""
    figure = go.Figure()
    for column, (mask, _) in enumerate(patterns):
        for present in (False, True):
            at = np.flatnonzero(mask == present)
            colors = [schema.keypoints[k].color if present else MISSING for k in at]
            figure.add_scatter(
                x=[column] * len(at),
                y=at,
                mode="markers",
                marker={
                    "color": colors,
                    "size": 11,
                    "symbol": "circle" if present else "circle-open",
                },
                hovertext=[
                    f"{schema.keypoints[k].label}: {'present' if present else 'missing'}"
                    for k in at
                ],
                hoverinfo="text",
            )
    figure.add_bar(
        x=list(range(len(patterns))),
        y=[n for _, n in patterns],
        yaxis="y2",
        marker_color=ACCENT,
        text=[f"{n:,}" for _, n in patterns],
        customdata=[share(n, rows) for _, n in patterns],
        textposition="outside",
        constraintext="none",
        textfont={"size": 12},
        cliponaxis=False,
        hovertemplate="%{y:,} images (%{customdata})<extra></extra>",
    )
    k = len(schema)
    figure.update_layout(
        yaxis={
            "domain": [0, 0.66],
            "tickvals": list(range(k)),
            "ticktext": [short_label(p.label) for p in schema.keypoints],
            "range": [k - 0.5, -0.5],
            "showgrid": False,
            "zeroline": False,
            "fixedrange": True,
        },
        yaxis2={"domain": [0.74, 1], "showgrid": False, "visible": False, "fixedrange": True},
        xaxis={"visible": False, "fixedrange": True},
        showlegend=False,
    )
    return styled(figure, 22 * k + 190)


def together_heatmap(together: NDArray[np.float64], schema: KeypointSchema) -> go.Figure:
    """``together[i, j]``: the share of the images lacking point j that also lack point i."""
    names = [short_label(k.label) for k in schema.keypoints]
    figure = go.Figure(
        go.Heatmap(
            z=together,
            x=names,
            y=names,
            zmin=0,
            zmax=1,
            colorscale="Teal",
            colorbar={"tickformat": ".0%", "thickness": 12},
            hovertemplate="of the images without %{x}, %{z:.0%} lack %{y} too<extra></extra>",
            xgap=1,
            ygap=1,
        )
    )
    figure.update_yaxes(autorange="reversed", fixedrange=True)
    figure.update_xaxes(fixedrange=True, tickangle=-50)
    return styled(figure, 26 * len(schema) + 130)


def histogram(values: NDArray[np.floating], title: str, bins: int = 40) -> go.Figure:
    """Counts of ``values``; each bar carries its lower and upper bound as custom data."""
    counts, edges = np.histogram(values[np.isfinite(values)], bins=bins)
    figure = go.Figure(
        go.Bar(
            x=(edges[:-1] + edges[1:]) / 2,
            y=counts,
            width=np.diff(edges) * 0.94,
            marker_color=ACCENT,
            # A list: an array would come back from the browser as a mapping.
            customdata=np.stack([edges[:-1], edges[1:]], axis=1).tolist(),
            hovertemplate="%{customdata[0]:.3g} to %{customdata[1]:.3g}: %{y:,}<extra></extra>",
        )
    )
    figure.update_xaxes(title=title, fixedrange=True)
    figure.update_layout(hovermode="x")
    figure.update_yaxes(title="images", fixedrange=True)
    return styled(figure, 280)


def mark_threshold(figure: go.Figure, at: float, words: str) -> go.Figure:
    """A dashed line at ``at`` with ``words`` beside it."""
    figure.add_vline(
        at,
        line={"color": NEUTRAL, "dash": "dash", "width": 1.5},
        annotation={"text": words, "font": {"size": 12}},
        annotation_position="top right",
    )
    return figure
