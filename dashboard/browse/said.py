"""What was just done on Browse, in a line above the grid, with a way to undo it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from dashboard.guard import safely
from dashboard.words import plain
from fkd.errors import UserError

_KEY = "browse-said"


@dataclass(frozen=True)
class Said:
    """``text`` of what was done, or why it was not; ``undo`` takes it back."""

    text: str
    undo: Callable[[], None] | None = None
    failed: bool = False


def say(text: str, undo: Callable[[], None] | None = None) -> None:
    """Show ``text`` until it is dismissed or something else is said."""
    st.session_state[_KEY] = Said(text, undo)


def doing(what: str, action: Callable[[], None]) -> Callable[[], None]:
    """``action`` as a button takes it; what the user can put right is said in the line."""

    def done() -> None:
        st.session_state.pop(_KEY, None)
        try:
            action()
        except UserError as error:
            st.session_state[_KEY] = Said(str(error), failed=True)

    return safely(what, done)


def tell() -> None:
    """The line, if there is something to say."""
    said: Said | None = st.session_state.get(_KEY)
    if said is None:
        return
    with st.container(horizontal=True, vertical_alignment="center", key="browse-said-line"):
        if said.failed:
            st.error(plain(said.text), icon=":material/error:")
        else:
            st.success(plain(said.text), icon=":material/check:")
        if said.undo is not None:
            st.button("Undo", icon=":material/undo:", on_click=doing("undoing", said.undo))
        st.button(
            "Dismiss",
            key="b-said-dismiss",
            icon=":material/close:",
            type="tertiary",
            on_click=lambda: st.session_state.pop(_KEY, None),
        )
