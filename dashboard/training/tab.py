"""The title of the browser's tab, which tells how far a training is."""

from __future__ import annotations

import streamlit as st

from dashboard.training.listing import active_runs
from fkd.training.status import QUEUED

NAME = "fkd workbench"
_TOLD = "tab-title-told"


def tab_title(page: str = "") -> str:
    """``Train · fkd workbench``, and in front of it how far what trains is: ``34 % compact-3``."""
    found = " · ".join(part for part in (page, NAME) if part)
    training = [(run, status) for run, status in active_runs() if status.state != QUEUED]
    if not training:
        return found
    run, status = training[0]
    done = f"{100 * status.share:.0f} %" if status.trains else "…"
    return f"{done} {run.name} · {found}"


def keep_title(page: str) -> None:
    """Put ``tab_title`` into the tab where it has changed; to be called from what refreshes
    itself."""
    title = tab_title(page)
    if st.session_state.get(_TOLD) != title:
        st.session_state[_TOLD] = title
        st.set_page_config(page_title=title)
