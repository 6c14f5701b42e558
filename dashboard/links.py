"""Widgets whose choice stands in the address bar, so that a link brings it back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st


@dataclass(frozen=True)
class Parameters:
    """The words of one page in the address bar; others, such as the dataset, stay as they are.

    Attributes:
        page: name under which they are remembered for when the user comes back.
        keys: every parameter that the page may write.
    """

    page: str
    keys: tuple[str, ...]

    def asked(self) -> Mapping[str, str]:
        """What the link asks for; where it says nothing, what was last looked at."""
        if any(key in st.query_params for key in self.keys):
            return st.query_params.to_dict()
        return self.last()

    def last(self) -> Mapping[str, str]:
        """What was last written."""
        return st.session_state.get(f"link-{self.page}", {})

    def write(self, wanted: Mapping[str, str]) -> None:
        """Put ``wanted`` into the address bar and remember it."""
        st.session_state[f"link-{self.page}"] = dict(wanted)
        now = st.query_params.to_dict()
        others = {key: value for key, value in now.items() if key not in self.keys}
        # In one go: each change by itself would be a step of the browser's Back.
        if now != others | dict(wanted):
            st.query_params.from_dict(others | dict(wanted))


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
