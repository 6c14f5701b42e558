"""The charts of the Evaluate page, as Plotly figures; no Streamlit, no data access."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from dashboard.plots import ACCENT, NEUTRAL, colored, styled
from fkd.evaluation.expected import Calibration
from fkd.evaluation.gain import Difference
from fkd.evaluation.scores import KeypointScore
from fkd.keypoints import KeypointSchema

COLORS = (ACCENT, "#d9772b")
"""Of the first and of the second model; both stand out on light and on dark."""

_ABOVE = {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "xanchor": "left"}
_FAR = 2.5
"""Bars end, and intervals are cut off, at so many times their median length: one keypoint that is
far off would squeeze all others."""
_FILLED: dict[str, Any] = {}
_HATCHED: dict[str, Any] = {"shape": "/", "size": 5, "solidity": 0.45}
_PATTERNS = (_FILLED, _HATCHED)
"""Of the bars of the first and of the second model, which both have the keypoints' colours."""


def ced_chart(
    curves: Sequence[tuple[str, NDArray[np.float64]]], at: NDArray[np.float64], limit: float
) -> go.Figure:
    """Cumulative error distributions: for each ``(model, shares)`` the share of images with an NME
    of at most ``at``; ``limit`` is where the AUC ends."""
    figure = go.Figure()
    for (name, shares), color, dash in zip(curves, COLORS, ("solid", "dash"), strict=False):
        figure.add_scatter(
            x=at,
            y=shares,
            mode="lines",
            name=name,
            line={"color": color, "width": 2.5, "dash": dash},
            hovertemplate="%{y:.1%} of the images have an NME of at most %{x:.1%}<extra>"
            + name
            + "</extra>",
        )
    figure.add_vline(
        limit,
        line={"color": NEUTRAL, "dash": "dash", "width": 1.5},
        annotation={"text": f"AUC up to {limit:.0%}", "font": {"size": 12}},
        annotation_position="bottom right",
    )
    figure.update_xaxes(title="NME (%)", tickformat=".0%", range=[0, at[-1]], fixedrange=True)
    figure.update_yaxes(title="share of images", tickformat=".0%", range=[0, 1.02], fixedrange=True)
    figure.update_layout(hovermode="x", legend=_ABOVE, showlegend=len(curves) > 1)
    return styled(figure, 340)


def worst_keypoint(scores: Sequence[KeypointScore]) -> int | None:
    """Index of the keypoint with the largest RMSE; None without any."""
    rmse = np.array([point.rmse_px for point in scores])
    return int(np.nanargmax(rmse)) if np.isfinite(rmse).any() else None


def keypoint_bars(
    scores: Sequence[tuple[str, Sequence[KeypointScore]]],
    floors: NDArray[np.float64],
    schema: KeypointSchema,
) -> go.Figure:
    """RMSE of each keypoint in its colour, the worst one of each model marked, the second model's
    bars hatched; ``floors`` ``(K,)`` px is what the labels' noise leaves of it, NaN where
    unknown."""
    labels = [k.label for k in schema.keypoints]
    known = [p.rmse_px for _, points in scores for p in points if p.n]
    end, cut = _end(known)
    figure = go.Figure()
    for number, ((name, points), pattern) in enumerate(zip(scores, _PATTERNS, strict=False)):
        worst = worst_keypoint(points)
        figure.add_bar(
            y=labels,
            x=[min(point.rmse_px, end) for point in points],
            orientation="h",
            name=name,
            marker=colored(schema, pattern=pattern),
            offsetgroup=number,
            text=[
                f"{point.rmse_px:.2f}{' worst' if k == worst else ''}" if point.n else ""
                for k, point in enumerate(points)
            ],
            textposition="outside",
            constraintext="none",
            textfont={"size": 12 if len(scores) == 1 else 11},
            cliponaxis=False,
            customdata=[[point.n, point.rmse_px] for point in points],
            hovertemplate="%{y}: %{customdata[1]:.2f} px on %{customdata[0]:,} labels<extra>"
            + name
            + "</extra>",
            showlegend=False,
        )
    if len(scores) > 1:
        # For the legend alone: the bars have a colour each.
        for number, ((name, _), pattern) in enumerate(zip(scores, _PATTERNS, strict=False)):
            figure.add_bar(
                y=labels[:1],
                x=[None],
                orientation="h",
                name=name,
                offsetgroup=number,
                marker={
                    "color": NEUTRAL,
                    "line": {"color": NEUTRAL, "width": 1},
                    "pattern": pattern,
                },
            )
    if np.isfinite(floors).any():
        figure.add_scatter(
            y=labels,
            x=np.minimum(floors, end),
            mode="markers",
            name="label noise (estimate)",
            marker={
                "symbol": "line-ns",
                "size": 18 if len(scores) == 1 else 22,
                "line": {"width": 2.5, "color": NEUTRAL},
            },
            customdata=floors,
            hovertemplate="%{y}: about %{customdata:.1f} px<extra>label noise</extra>",
        )
    figure.update_yaxes(autorange="reversed", fixedrange=True, showgrid=False)
    figure.update_xaxes(
        title=f"RMSE (px){f', bars are cut off at {end:.2g}' if cut else ''}",
        range=[0, 1.3 * end],
        fixedrange=True,
    )
    figure.update_layout(barmode="group", hovermode="closest", legend=_ABOVE)
    return styled(figure, (30 if len(scores) == 1 else 44) * len(schema) + 90)


def _end(lengths: Sequence[float]) -> tuple[float, bool]:
    """Where the longest bar ends, and whether that cuts some off."""
    known = [length for length in lengths if np.isfinite(length)]
    if not known or not max(known):
        return 1.0, False
    end = _FAR * float(np.median(known))
    return (end, True) if max(known) > end > 0 else (max(known), False)


def gain_chart(found: Sequence[Difference], schema: KeypointSchema) -> go.Figure:
    """The change of each keypoint's RMSE with its interval, in the keypoint's colour; the one whose
    error rose most is marked."""
    change = np.array([one.change_px for one in found])
    low = np.array([one.low_px for one in found])
    high = np.array([one.high_px for one in found])
    end, cut = _end(np.fmax(np.abs(change), np.fmax(np.abs(low), np.abs(high))).tolist())
    rose = int(np.nanargmax(change)) if (change > 0).any() else None
    at = np.clip(change, -end, end)
    figure = go.Figure(
        go.Scatter(
            x=at,
            y=[k.label for k in schema.keypoints],
            mode="markers+text",
            text=["rose most" if k == rose else "" for k in range(len(found))],
            textposition="top center",
            marker=colored(schema, size=11),
            error_x={
                "type": "data",
                "symmetric": False,
                "array": np.clip(high, -end, end) - at,
                "arrayminus": at - np.clip(low, -end, end),
                "color": NEUTRAL,
            },
            customdata=[[one.before_px, one.after_px, one.points] for one in found],
            hovertemplate="%{y}: %{customdata[0]:.2f} to %{customdata[1]:.2f} px on "
            "%{customdata[2]:,} labels<extra></extra>",
        )
    )
    figure.add_vline(0, line={"color": NEUTRAL, "dash": "dash", "width": 1.5})
    figure.update_yaxes(autorange="reversed", fixedrange=True, showgrid=False)
    figure.update_xaxes(
        title=f"change of the RMSE (px){f', cut off at {end:.2g}' if cut else ''}",
        range=[-1.05 * end, 1.05 * end],
        fixedrange=True,
    )
    return styled(figure, 30 * len(schema) + 90)


def calibration_chart(found: Sequence[tuple[str, Calibration]]) -> go.Figure:
    """Expected beside actual errors in bins, the second model's with open marks; on the diagonal
    errors are as large as expected."""
    figure = go.Figure()
    far = max(max(b.expected, b.actual) for _, c in found for b in c.bins) * 1.05
    figure.add_scatter(
        x=[0, far],
        y=[0, far],
        mode="lines",
        line={"color": NEUTRAL, "dash": "dash", "width": 1.5},
        name="errors as expected",
        hoverinfo="skip",
    )
    for (name, calibration), color, symbol in zip(
        found, COLORS, ("circle", "square-open"), strict=False
    ):
        bins = calibration.bins
        figure.add_scatter(
            x=[b.expected for b in bins],
            y=[b.actual for b in bins],
            mode="lines+markers",
            name=name,
            line={"color": color, "width": 2.5},
            marker={"size": 8, "symbol": symbol},
            customdata=[[b.n] for b in bins],
            hovertemplate="expected %{x:.2f} px, was %{y:.2f} px on %{customdata[0]:,} points"
            "<extra>" + name + "</extra>",
        )
    figure.update_xaxes(title="expected error (px)", range=[0, far], fixedrange=True)
    figure.update_yaxes(title="actual error (px)", range=[0, far], fixedrange=True)
    figure.update_layout(hovermode="closest", legend=_ABOVE)
    return styled(figure, 430)
