"""The active training in the sidebar of every page."""

from __future__ import annotations

import streamlit as st

from dashboard import routes
from dashboard.guard import guard
from dashboard.training import view
from dashboard.training.listing import active_runs
from dashboard.training.notice import notices
from dashboard.training.states import look
from dashboard.training.tab import tab_title
from dashboard.words import about, plain
from fkd.training.runs import Run
from fkd.training.status import QUEUED, STOPPING, Status

_REFRESH_S = 2.0


def training_chip(page: str = "") -> None:
    """A quiet line on what trains now, with the way there; nothing while nothing does. The title
    of the tab tells it too, in front of the title of ``page``."""
    active = bool(active_runs())
    with st.sidebar, st.container(key="training-chip"):
        st.fragment(_chip, run_every=_REFRESH_S if active else None)(active, page)


def _chip(drawn: bool, page: str) -> None:
    with guard("the training in the sidebar"):
        active = active_runs()
        if drawn and not active:
            st.rerun()  # ended: from now on nothing refreshes
        if page or active:
            st.set_page_config(page_title=tab_title(page, active))
        if active:
            _link(active)
        notices(active)


def _link(active: list[tuple[Run, Status]]) -> None:
    run, status = active[0]
    more = f" (+{len(active) - 1})" if len(active) > 1 else ""
    st.page_link(
        routes.TRAIN,
        label=plain(in_words(run.name, status)) + more,
        icon=f":material/{look(status.state).icon}:",
        query_params=view.query(run.name),
    )


def in_words(name: str, status: Status) -> str:
    """``compact-3, epoch 12 of 60, 2.1 px, 4 min left``."""
    if status.state == QUEUED:
        return f"{name}, waiting"
    if status.state == STOPPING:
        return f"{name}, stopping"
    if not status.trains:
        return f"{name}, {status.stage or status.state}"
    parts = [name, f"epoch {min(status.epoch + 1, status.epochs)} of {status.epochs}"]
    if status.best:
        parts.append(f"{status.best[1]:.2g} px")
    if status.seconds_left is not None:
        parts.append(f"{about(status.seconds_left)} left")
    # A line breaks between the parts, never within one.
    return ", ".join(part.replace(" ", "\N{NO-BREAK SPACE}") for part in parts)
