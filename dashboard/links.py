"""Widgets whose choice stands in the address bar, so that a link brings it back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

_DATASET = "dataset"
"""The parameter that all pages share."""


@dataclass(frozen=True)
class Parameters:
    """The words of one page in the address bar, beside the dataset.

    Attributes:
        page: name under which they are remembered for when the user comes back.
        keys: every parameter that the page may write.
    """

    page: str
    keys: tuple[str, ...]

    def asked(self) -> Mapping[str, str]:
        """What the link asks for; where it says nothing, what was last looked at."""
        query = st.query_params.to_dict()
        last = st.session_state.get(f"link-{self.page}", {})
        # Leaving for another page, Streamlit puts that page's words behind this page's path first:
        # that is where the browser's Back leads, and it means what was looked at then.
        left = bool(last) and any(key not in self.keys and key != _DATASET for key in query)
        return query if not left and any(key in query for key in self.keys) else last

    def write(self, wanted: Mapping[str, str]) -> None:
        """Put ``wanted`` into the address bar and remember it."""
        st.session_state[f"link-{self.page}"] = dict(wanted)
        now = st.query_params.to_dict()
        kept = {key: value for key, value in now.items() if key == _DATASET}
        # In one go: each change by itself would be a step of the browser's Back.
        if now != kept | dict(wanted):
            st.query_params.from_dict(kept | dict(wanted))


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
