"""Widgets bound to what the form asks for."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboard.training.wish import Wish


def bound(wish: Wish, setting: str) -> dict[str, Any]:
    """Arguments that bind a widget to one setting. The wish is the truth: every run sets the
    widget from it, every change of the widget goes into it before the next run."""
    key = f"train-{setting}"
    st.session_state[key] = wish.value(setting)
    return {"key": key, "on_change": lambda: wish.change(setting, st.session_state[key])}
