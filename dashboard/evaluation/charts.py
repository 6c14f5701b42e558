"""The charts of the Evaluate page, as Plotly figures; no Streamlit, no data access."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from dashboard.plots import ACCENT, NEUTRAL, styled
from fkd.evaluation.expected import Calibration
from fkd.evaluation.gain import Difference
from fkd.evaluation.scores import KeypointScore
from fkd.keypoints import KeypointSchema

COLORS = (ACCENT, "#d9772b")
"""Of the first and of the second model; both stand out on light and on dark."""

_ABOVE = {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "xanchor": "left"}
_OPACITY = (1.0, 0.45)


def ced_chart(
    curves: Sequence[tuple[str, NDArray[np.float64]]], at: NDArray[np.float64], limit: float
) -> go.Figure:
    """Cumulative error distributions: for each ``(model, shares)`` the share of images with an NME
    of at most ``at``; ``limit`` is where the AUC ends."""
    figure = go.Figure()
    for (name, shares), color in zip(curves, COLORS, strict=False):
        figure.add_scatter(
            x=at,
            y=shares,
            mode="lines",
            name=name,
            line={"color": color, "width": 2.5},
            hovertemplate="%{y:.1%} of the images up to %{x:.1%}<extra>" + name + "</extra>",
        )
    figure.add_vline(
        limit,
        line={"color": NEUTRAL, "dash": "dash", "width": 1.5},
        annotation={"text": f"AUC up to {limit:.0%}", "font": {"size": 12}},
        annotation_position="bottom right",
    )
    figure.update_xaxes(title="NME", tickformat=".0%", range=[0, at[-1]], fixedrange=True)
    figure.update_yaxes(title="share of images", tickformat=".0%", range=[0, 1.02], fixedrange=True)
    figure.update_layout(hovermode="x", legend=_ABOVE, showlegend=len(curves) > 1)
    return styled(figure, 340)


def keypoint_bars(
    scores: Sequence[tuple[str, Sequence[KeypointScore]]],
    floors: NDArray[np.float64],
    schema: KeypointSchema,
) -> go.Figure:
    """RMSE of each keypoint in its colour, the second model's bars paler; ``floors`` ``(K,)`` px
    is what the labels' noise leaves of it, NaN where unknown."""
    labels = [k.label for k in schema.keypoints]
    figure = go.Figure()
    for (name, points), opacity in zip(scores, _OPACITY, strict=False):
        figure.add_bar(
            y=labels,
            x=[point.rmse_px for point in points],
            orientation="h",
            name=name,
            marker={"color": [k.color for k in schema.keypoints], "opacity": opacity},
            text=[f"{point.rmse_px:.2f}" if point.n else "" for point in points],
            textposition="outside",
            constraintext="none",
            textfont={"size": 12 if len(scores) == 1 else 11},
            cliponaxis=False,
            customdata=[[point.n] for point in points],
            hovertemplate="%{y}: %{x:.2f} px on %{customdata[0]:,} labels<extra>"
            + name
            + "</extra>",
            showlegend=False,
        )
    if len(scores) > 1:
        for (name, _), opacity in zip(scores, _OPACITY, strict=False):  # for the legend alone
            figure.add_scatter(
                y=[None],
                x=[None],
                mode="markers",
                name=name,
                marker={"symbol": "square", "size": 12, "color": NEUTRAL, "opacity": opacity},
            )
    if np.isfinite(floors).any():
        figure.add_scatter(
            y=labels,
            x=floors,
            mode="markers",
            name="left by the labels' own noise, roughly",
            marker={
                "symbol": "line-ns",
                "size": 18 if len(scores) == 1 else 22,
                "line": {"width": 2.5, "color": NEUTRAL},
            },
            hovertemplate="%{y}: about %{x:.1f} px<extra>label noise</extra>",
        )
    figure.update_yaxes(autorange="reversed", fixedrange=True, showgrid=False)
    longest = max((p.rmse_px for _, points in scores for p in points if p.n), default=1)
    figure.update_xaxes(title="RMSE in px", range=[0, 1.1 * longest], fixedrange=True)
    figure.update_layout(barmode="group", hovermode="closest", legend=_ABOVE)
    return styled(figure, (30 if len(scores) == 1 else 44) * len(schema) + 90)


def gain_chart(found: Sequence[Difference], schema: KeypointSchema) -> go.Figure:
    """The change of each keypoint's RMSE with its interval, in the keypoint's colour."""
    change = np.array([one.change_px for one in found])
    figure = go.Figure(
        go.Scatter(
            x=change,
            y=[k.label for k in schema.keypoints],
            mode="markers",
            marker={"size": 11, "color": [k.color for k in schema.keypoints]},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": np.array([one.high_px for one in found]) - change,
                "arrayminus": change - np.array([one.low_px for one in found]),
                "color": NEUTRAL,
            },
            customdata=[[one.before_px, one.after_px, one.points] for one in found],
            hovertemplate="%{y}: %{customdata[0]:.2f} to %{customdata[1]:.2f} px on "
            "%{customdata[2]:,} labels<extra></extra>",
        )
    )
    figure.add_vline(0, line={"color": NEUTRAL, "dash": "dash", "width": 1.5})
    figure.update_yaxes(autorange="reversed", fixedrange=True, showgrid=False)
    figure.update_xaxes(title="change of the RMSE in px", fixedrange=True)
    return styled(figure, 30 * len(schema) + 90)


def calibration_chart(found: Sequence[tuple[str, Calibration]]) -> go.Figure:
    """Expected beside actual errors in bins; on the diagonal a model knows how far it is off."""
    figure = go.Figure()
    far = max(max(b.expected, b.actual) for _, c in found for b in c.bins) * 1.05
    figure.add_scatter(
        x=[0, far],
        y=[0, far],
        mode="lines",
        line={"color": NEUTRAL, "dash": "dash", "width": 1.5},
        name="as expected",
        hoverinfo="skip",
    )
    for (name, calibration), color in zip(found, COLORS, strict=False):
        bins = calibration.bins
        figure.add_scatter(
            x=[b.expected for b in bins],
            y=[b.actual for b in bins],
            mode="lines+markers",
            name=name,
            line={"color": color, "width": 2.5},
            marker={"size": 8},
            customdata=[[b.n] for b in bins],
            hovertemplate="expected %{x:.2f} px, was %{y:.2f} px on %{customdata[0]:,} points"
            "<extra>" + name + "</extra>",
        )
    figure.update_xaxes(title="expected error in px", range=[0, far], fixedrange=True)
    figure.update_yaxes(title="actual error in px", range=[0, far], fixedrange=True)
    figure.update_layout(hovermode="closest", legend=_ABOVE)
    return styled(figure, 430)
