"""What went wrong with a button of the Data page, said beside it."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from dashboard.guard import in_words
from dashboard.words import plain

_KEY = "data-failures"


def doing(place: str, what: str, action: Callable[[], object]) -> Callable[[], None]:
    """``action`` as a button takes it; its failure is kept for ``tell(place)``."""

    def done() -> None:
        failures = st.session_state.setdefault(_KEY, {})
        failures.pop(place, None)
        try:
            action()
        except Exception as error:
            failures[place] = in_words(what, error)

    return done


def tell(place: str) -> None:
    """Say, once, what went wrong at ``place``."""
    if failure := st.session_state.get(_KEY, {}).pop(place, None):
        st.error(plain(failure), icon=":material/error:")
