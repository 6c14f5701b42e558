"""Which runs the Train page shows, as it stands in the link: ``?run=compact-3,compact-1``."""

from __future__ import annotations

import streamlit as st

_RUN = "run"
MAX_SHOWN = 8
"""Runs shown at a time: as many as there are colours to tell apart."""


def shown() -> list[str]:
    """Names of the runs that the link asks for; the first is the one shown in full, the others
    are laid over its curves. None: the form and the list of runs."""
    asked = st.query_params.get(_RUN, "").split(",")
    return list(dict.fromkeys(name for name in asked if name))[:MAX_SHOWN]


def show(*names: str) -> None:
    """Show ``names`` from the next run on; without any, the list."""
    if names:
        st.query_params[_RUN] = ",".join(dict.fromkeys(names))
    else:
        st.query_params.pop(_RUN, None)


def query(name: str) -> dict[str, str]:
    """The link to one run, as query parameters."""
    return {_RUN: name}
