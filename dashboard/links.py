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


def bound(key: str, value: Any, changed: Callable[[Any], None]) -> dict[str, Any]:
    """Arguments that make a Streamlit widget show ``value``, whatever it showed before, and call
    ``changed`` with what the user makes of it."""
    st.session_state[key] = value
    return {"key": key, "on_change": lambda: changed(st.session_state[key])}


def one_of(
    widget: Callable[..., Any],
    label: str,
    options: Mapping[str, str],
    arguments: Mapping[str, Any],
    **more: Any,
) -> None:
    """One of ``options`` (word in the link: what it is called) chosen with ``widget``, a Streamlit
    select box or segmented control, that ``bound`` gave its ``arguments``."""
    # A select box that begins with a value cannot be emptied; asked to, it would say "(required)".
    if widget.__name__ != "selectbox":
        more["required"] = True
    widget(label, list(options), format_func=options.get, **arguments, **more)


def pager(pages: int, page: int, key: str, turn: Callable[[int], None]) -> None:
    """Numbers of pages in the middle of the row; ``turn`` is called with the one chosen."""
    # The key changes with the page, so the default is always the page shown.
    key = f"{key}-{page}"
    with st.container(horizontal_alignment="center"):
        st.pagination(pages, default=page, key=key, on_change=lambda: turn(st.session_state[key]))


def linked_choice(
    widget: Callable[..., Any],
    label: str,
    options: Mapping[str, str],
    parameter: str,
    **arguments: Any,
) -> str:
    """One of ``options``, chosen with ``widget`` (see ``one_of``): the one in the link, else what
    was chosen last, else the first.

    Streamlit's own binding puts the label into the link; this puts the short, stable word.
    """
    last = f"linked-{parameter}-last"
    known = (st.query_params.get(parameter), st.session_state.get(last))
    chosen = next((word for word in known if word in options), next(iter(options)))

    def changed(word: str) -> None:
        st.query_params[parameter] = st.session_state[last] = word

    st.session_state[last] = chosen
    one_of(widget, label, options, bound(f"linked-{parameter}", chosen, changed), **arguments)
    return chosen
