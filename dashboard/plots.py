"""The charts of the Statistics page, as Plotly figures, and what all charts have in common; no
Streamlit, no data access."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from dashboard.words import count_share, share
from fkd.keypoints import KeypointSchema

NEUTRAL = "#7b8f98"
ACCENT = "#2a93ad"
"""These stand out on the light and on the dark background, 3:1 at least."""

SKEWED = 50
"""From this ratio of the highest bar to the lowest on, counts stand on a logarithmic axis."""

_TAIL = 99.0
"""Percentile beyond which values go into one last bar, where they would squeeze all others."""
_FAR = 2.0
"""How many times as far as that percentile the largest value then lies, at least."""


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


def colored(schema: KeypointSchema, **more: object) -> dict[str, Any]:
    """A marker in the colour of each keypoint. Some of these are pale on one background or the
    other, so each has a rim that stands out on both."""
    return {
        "color": [k.color for k in schema.keypoints],
        "line": {"color": NEUTRAL, "width": 1},
        **more,
    }


def count_axis(
    counts: NDArray[np.integer] | Sequence[int], what: str, room: float = 1.1
) -> dict[str, Any]:
    """The upright axis of bars of ``counts``: logarithmic, and said to be, where the highest bar
    would leave nothing of the lowest. ``room`` is how far it goes on, as a share of the highest."""
    here = np.asarray(counts)
    here = here[here > 0]
    highest = float(here.max(initial=1))
    if len(here) and highest >= SKEWED * here.min():
        # A single image is a bar too.
        scale = [np.log10(0.6), np.log10(highest) * room]
        return {
            "title": f"{what} (log scale)",
            "type": "log",
            "dtick": 1,
            "range": scale,
            "fixedrange": True,
        }
    return {"title": what, "range": [0, highest * room], "fixedrange": True}


def missing_bars(missing: NDArray[np.integer], rows: int, schema: KeypointSchema) -> go.Figure:
    """Images without each keypoint, ``missing`` ``(K,)`` of ``rows``, in the keypoint's colour."""
    figure = go.Figure(
        go.Bar(
            x=missing,
            y=[k.label for k in schema.keypoints],
            orientation="h",
            marker=colored(schema),
            customdata=[[rows - int(n), share(int(n), rows)] for n in missing],
            hovertemplate="%{y}: missing in %{x:,} images (%{customdata[1]}), labelled in "
            "%{customdata[0]:,}<extra></extra>",
            text=[count_share(int(n), rows) for n in missing],
            textposition="outside",
            constraintext="none",
            textfont={"size": 12},
            cliponaxis=False,
        )
    )
    figure.update_yaxes(autorange="reversed", fixedrange=True, showgrid=False)
    figure.update_layout(hovermode="y")
    # Room for the numbers beside the longest bar.
    farthest = max(1, int(missing.max(initial=0)))
    figure.update_xaxes(
        title="images without the point", range=[0, 1.4 * farthest], fixedrange=True
    )
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
    figure.update_yaxes(count_axis(histogram, "images"))
    return styled(figure, 300)


def pattern_chart(
    patterns: Sequence[tuple[NDArray[np.bool_], int]], rows: int, schema: KeypointSchema
) -> go.Figure:
    """The most frequent combinations of present points: dots for the points, bars for images."""
    figure = go.Figure()
    for column, (mask, _) in enumerate(patterns):
        for present in (False, True):
            at = np.flatnonzero(mask == present)
            colors = [schema.keypoints[k].color if present else NEUTRAL for k in at]
            figure.add_scatter(
                x=[column] * len(at),
                y=at,
                mode="markers",
                marker={
                    "color": colors,
                    "size": 11,
                    "symbol": "circle" if present else "circle-open",
                    "line": {"color": NEUTRAL, "width": 1},
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
            "ticktext": [p.label for p in schema.keypoints],
            "range": [k - 0.5, -0.5],
            "showgrid": False,
            "zeroline": False,
            "fixedrange": True,
        },
        yaxis2={
            **count_axis([n for _, n in patterns], "images", room=1.2),
            "domain": [0.74, 1],
            "showgrid": False,
            "showticklabels": False,  # the bars carry their numbers
        },
        xaxis={"visible": False, "fixedrange": True},
        showlegend=False,
    )
    return styled(figure, 22 * k + 190)


def together_heatmap(together: NDArray[np.float64], schema: KeypointSchema) -> go.Figure:
    """``together[i, j]``: the share of the images lacking point j that also lack point i."""
    names = [k.label for k in schema.keypoints]
    figure = go.Figure(
        go.Heatmap(
            z=together,
            x=names,
            y=names,
            zmin=0,
            zmax=1,
            colorscale="Teal",
            colorbar={"tickformat": ".0%", "thickness": 12},
            hovertemplate="%{z:.0%} of the images without %{x} also lack %{y}<extra></extra>",
            xgap=1,
            ygap=1,
        )
    )
    figure.update_yaxes(title="also missing", autorange="reversed", fixedrange=True)
    figure.update_xaxes(title="missing point", fixedrange=True, tickangle=-50)
    return styled(figure, 26 * len(schema) + 190)


def histogram(
    values: NDArray[np.floating], title: str, bins: int = 40, end: float | None = None
) -> go.Figure:
    """Counts of ``values``; each bar carries its lower and upper bound as custom data. Values
    beyond ``end`` go into one last bar, which is said below it; without it, those few that would
    squeeze all others."""
    known = np.asarray(values[np.isfinite(values)], np.float64)
    end = tail(known) if end is None else end
    cut = bool(len(known)) and known.max() > end
    counts, edges = np.histogram(np.minimum(known, end), bins=bins)
    bounds = np.stack([edges[:-1], edges[1:]], axis=1)
    if cut:
        bounds[-1, 1] = known.max()
    figure = go.Figure(
        go.Bar(
            x=(edges[:-1] + edges[1:]) / 2,
            y=counts,
            width=np.diff(edges) * 0.94,
            marker_color=ACCENT,
            # A list: an array would come back from the browser as a mapping.
            customdata=bounds.tolist(),
            hovertemplate="%{customdata[0]:.3g} to %{customdata[1]:.3g}: %{y:,} images"
            "<extra></extra>",
        )
    )
    said = f"{title} (last bar: {edges[-2]:.3g} to {known.max():.3g})" if cut else title
    figure.update_xaxes(title=said, fixedrange=True)
    figure.update_layout(hovermode="x")
    figure.update_yaxes(title="images", fixedrange=True)
    return styled(figure, 280)


def tail(values: NDArray[np.floating]) -> float:
    """From where on ``values``, all finite, go into one last bar of a histogram: their largest,
    unless a few lie far beyond all others."""
    if not len(values):
        return float("inf")
    low, most, largest = (float(v) for v in np.percentile(values, (0, _TAIL, 100)))
    return largest if largest - low < _FAR * (most - low) else most


def mark_threshold(figure: go.Figure, at: float, words: str) -> go.Figure:
    """A dashed line at ``at`` with ``words`` beside it."""
    figure.add_vline(
        at,
        line={"color": NEUTRAL, "dash": "dash", "width": 1.5},
        annotation={"text": words, "font": {"size": 12}},
        annotation_position="top right",
    )
    return figure
