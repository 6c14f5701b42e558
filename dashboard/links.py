"""Widgets whose choice stands in the address bar, so that a link brings it back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st


def linked_choice(
    widget: Callable[..., Any],
    label: str,
    options: Mapping[str, str],
    parameter: str,
    **arguments: Any,
) -> str:
    """One of ``options`` (word in the link: what it is called), chosen with ``widget``, a
    Streamlit select box or segmented control; the first one by default.

    Streamlit's own binding puts the label into the link; this puts the short, stable word.
    """
    words = list(options)
    asked = st.query_params.get(parameter)
    chosen = asked if asked in options else words[0]
    key = f"linked-{parameter}"
    st.session_state[key] = chosen

    def changed() -> None:
        st.query_params[parameter] = st.session_state[key]

    widget(
        label,
        words,
        format_func=lambda word: options[word],
        required=True,
        key=key,
        on_change=changed,
        **arguments,
    )
    return chosen
