"""All runs in a table: to sort, to filter, to open, to choose for comparison."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

import pandas as pd
import streamlit as st

from dashboard.guard import failed, guard
from dashboard.state import current_name
from dashboard.training import actions, view
from dashboard.training.listing import Listed, Listing, listing
from dashboard.training.states import LOOKS
from dashboard.widgets import download_table

_REFRESH_S = 2.0


def runs_table() -> None:
    """The runs, refreshed while any is active; nothing if there are none."""
    found = listing()
    if not found.runs and not found.broken and current_name() is None:
        return  # first things first: the page says how to come by a dataset
    st.markdown("## Runs")
    if not found.runs and not found.broken:
        st.info(
            "No runs yet. Start one above; its curve begins within about 20 seconds.",
            icon=":material/model_training:",
        )
        return
    for run, reason in found.broken:
        actions.broken(run, reason)
    if found.runs:
        st.fragment(_live, run_every=_REFRESH_S if found.active else None)(_sketch(found))


def _sketch(found: Listing) -> list[tuple[str, str]]:
    return [(one.name, one.status.state) for one in found.runs]


def _live(drawn: list[tuple[str, str]]) -> None:
    with guard("runs"):
        found = listing()
        if failed() or view.shown() or _sketch(found) != drawn:
            st.rerun()
        _draw(found)


def _draw(found: Listing) -> None:
    row = st.container(horizontal=True, vertical_alignment="center", gap="small")
    st.session_state.setdefault("runs-filter", view.words())
    words = row.text_input(
        "Filter",
        placeholder="Filter by name, state, model, dataset or note",
        label_visibility="collapsed",
        key="runs-filter",
        on_change=lambda: view.look_for(st.session_state["runs-filter"]),
        width=420,
    )
    runs = [one for one in found.runs if matches(one, words)]
    rows = frame(runs)
    state = st.dataframe(
        shown(rows),
        hide_index=True,
        width="stretch",
        column_config=columns("open-run", view.show),
        on_select="rerun",
        selection_mode="multi-row",
        # Ticks are numbers of rows: with other rows they would mean other runs.
        key=f"runs-{hash(tuple(rows['Run']))}",
        placeholder="",
    )
    chosen = [runs[i].name for i in state["selection"]["rows"] if i < len(runs)]
    below = st.container(horizontal=True, vertical_alignment="center", gap="small")
    if len(chosen) > 1:
        if below.button(f"Compare {len(chosen)} runs", icon=":material/show_chart:"):
            view.show(*chosen[: view.MAX_SHOWN])
            st.rerun()
    else:
        below.caption("Click a run's name to open it; tick several to compare them.")
    with below:
        download_table(rows, "runs")


def matches(one: Listed, words: str) -> bool:
    """Whether each of ``words`` occurs in what the table says of the run."""
    text = " ".join(
        (
            one.name,
            one.status.state,
            one.config.model,
            one.config.dataset,
            f"labels {one.config.labels_in_words}",
            one.run.note,
        )
    ).lower()
    return all(word in text for word in words.lower().split())


def frame(runs: Sequence[Listed]) -> pd.DataFrame:
    """One row a run."""
    bests = [one.status.best for one in runs]
    return pd.DataFrame(
        {
            "State": pd.Series([one.status.state for one in runs], dtype=object),
            "Run": [one.name for one in runs],
            "Model": [one.config.model for one in runs],
            "Dataset": [one.config.dataset for one in runs],
            "Labels": [one.config.labels_in_words for one in runs],
            "Best RMSE (px)": pd.Series([best[1] if best else None for best in bests], dtype=float),
            "Best epoch": pd.array([best[0] if best else None for best in bests], "Int64"),
            "Epochs done": [f"{one.status.epoch} of {one.config.epochs}" for one in runs],
            "Minutes": pd.Series([one.status.elapsed / 60 for one in runs], dtype=float).round(2),
            "Split": [one.config.split.digest for one in runs],
            "Created": [datetime.fromtimestamp(round(one.run.created)) for one in runs],
            "Note": [one.run.note for one in runs],
        }
    )


def shown(rows: pd.DataFrame) -> pd.DataFrame:
    """``frame`` as ``columns`` shows it: states as coloured chips, which come in lists."""
    return rows.assign(State=[[state] for state in rows["State"]])


def columns(key: str, on_open: Callable[[str], None]) -> dict[str, object]:
    """How ``frame`` is shown; ``on_open(name)`` is called with the run whose name is clicked."""
    column = st.column_config

    def clicked() -> None:
        if click := st.session_state.get(key):
            on_open(str(click["label"]))

    return {
        "State": column.MultiselectColumn(
            "State",
            options=list(LOOKS),
            color=[look.color for look in LOOKS.values()],
            width=98,
        ),
        "Run": column.ButtonColumn(alignment="left", key=key, on_click=clicked),
        "Labels": column.TextColumn(
            width=90,
            help="The version of the labels that it was trained and validated on. Evaluate scores "
            "all runs on the same labels.",
        ),
        "Best RMSE (px)": column.NumberColumn(
            format="%.3f", help="On the run's validation images, at its best epoch"
        ),
        "Minutes": column.NumberColumn(
            format="%.1f", width=75, help="Spent training, over all its parts"
        ),
        # In the download only: it says little, and the table fits its window without it.
        "Split": None,
        "Created": column.DatetimeColumn(format="D MMM, HH:mm"),
        "Note": column.TextColumn(width="medium"),
    }
