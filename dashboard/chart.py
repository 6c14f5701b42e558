"""A chart whose bars and points can be chosen."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go
import streamlit as st

_VISIT = "chart-visit"
_CONFIG = {"displaylogo": False, "modeBarButtons": [["toImage"]]}


def chart(figure: go.Figure, key: str, *, select: bool = True) -> dict[str, Any] | None:
    """Draw ``figure``; return the bar or point that was just chosen, as Plotly describes it
    (``x``, ``y``, ``point_index``, ``customdata``), else None. The camera on it saves a PNG."""
    if not select:
        st.plotly_chart(figure, key=f"chart-{key}", config=_CONFIG)
        return None
    # A choice leads to another page. Coming back, the chart must not have it any more, or it
    # would lead away again: after each choice, charts get new names.
    visit = st.session_state.setdefault(_VISIT, 0)
    event = st.plotly_chart(
        figure,
        key=f"chart-{key}-{visit}",
        config=_CONFIG,
        on_select="rerun",
        selection_mode="points",
    )
    points = event["selection"]["points"]
    if not points:
        return None
    st.session_state[_VISIT] = visit + 1
    return dict(points[0])
