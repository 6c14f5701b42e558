"""A chart whose bars and points can be chosen."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go
import streamlit as st

_VISIT = "chart-visit"
_CONFIG = {"displaylogo": False, "modeBarButtons": [["toImage"]]}


def chart(figure: go.Figure, key: str, alt: str, *, select: bool = True) -> dict[str, Any] | None:
    """Draw ``figure``; return the bar or point that was just chosen, as Plotly describes it
    (``x``, ``y``, ``point_index``, ``customdata``), else None. The camera on it saves a PNG.
    ``alt`` says what it shows to those who cannot see it."""
    _legible(figure)
    if not select:
        st.plotly_chart(figure, key=f"chart-{key}", config=_CONFIG, alt=alt)
        return None
    # A choice leads to another page. Coming back, the chart must not have it any more, or it
    # would lead away again: after each choice, charts get new names.
    visit = st.session_state.setdefault(_VISIT, 0)
    event = st.plotly_chart(
        figure,
        key=f"chart-{key}-{visit}",
        config=_CONFIG,
        alt=alt,
        on_select="rerun",
        selection_mode="points",
    )
    points = event["selection"]["points"]
    if not points:
        return None
    st.session_state[_VISIT] = visit + 1
    return dict(points[0])


def _legible(figure: go.Figure) -> None:
    """Write axes, annotations and the legend in the theme's own text colour: the paler one that
    Streamlit takes for charts has less than 4.5:1 to the background."""
    theme = st.context.theme.type
    if theme is None:  # not known before the browser has said it
        return
    color = st.get_option(f"theme.{theme}.textColor")
    figure.update_xaxes(tickfont_color=color, title_font_color=color)
    figure.update_yaxes(tickfont_color=color, title_font_color=color)
    for annotation in figure.layout.annotations:
        if annotation.font.color is None:  # one on a picture has its own
            annotation.font.color = color
    figure.update_layout(legend_font_color=color, font_color=color)
    figure.update_traces(textfont_color=color, selector={"type": "bar"})
    figure.update_traces(colorbar_tickfont_color=color, selector={"type": "heatmap"})
