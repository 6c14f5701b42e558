"""Several runs side by side: which are drawn, what came of them, and of which settings."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboard.links import bound
from dashboard.training import view
from dashboard.training.listing import Listed
from dashboard.training.settings_table import all_in_words, differing
from dashboard.widgets import download_table

_RUN, _BEST = "Run", "Best RMSE (px)"


def shown_runs(found: list[Listed]) -> None:
    """Which of the runs are drawn in the charts."""
    names = [one.name for one in found]
    hidden = view.hidden()
    st.pills(
        "Runs in the charts",
        names,
        selection_mode="multi",
        help="Click a name to hide or show its curves and faces. Colours stay as they are.",
        **bound(
            "runs-in-charts",
            [name for name in names if name not in hidden],
            lambda chosen: view.hide(name for name in names if name not in chosen),
        ),
    )


def table(found: list[Listed]) -> None:
    """Best error and settings of the runs, the best run first; settings that differ come first."""
    st.markdown("#### Settings and best error")
    names = differing([one.config for one in found])
    everything = view.all_settings()
    st.toggle(
        "All settings",
        help="Otherwise only those that differ.",
        **bound("all-settings", everything, view.show_all_settings),
    )
    rows = frame(found, names, everything)
    configuration = st.column_config
    st.dataframe(
        rows,
        hide_index=True,
        width="stretch",
        column_config={
            _RUN: configuration.ButtonColumn(
                alignment="left", key="main-run", on_click=_opened, pinned=True
            ),
            _BEST: configuration.NumberColumn(
                format="%.3f", help="On the run's validation images, at its best epoch"
            ),
            "Minutes": configuration.NumberColumn(format="%.1f", help="Spent training"),
        },
        key="compared-runs",
        placeholder="",
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        download_table(rows, "compared-runs")
        if not names:
            st.caption("These runs have the same settings.")
    if len({one.config.split.digest for one in found}) > 1:
        st.warning(
            "Not comparable: these runs were validated on different images. Runs of the same "
            "dataset, validation share and seed have the same split.",
            icon=":material/compare_arrows:",
        )


def frame(found: list[Listed], names: list[str], everything: bool) -> pd.DataFrame:
    """One row a run: what came of it, then the settings ``names``, then, with ``everything``, the
    others."""
    rows = []
    for one in found:
        best, told = one.status.best, all_in_words(one.config)
        others = [name for name in told if name not in names] if everything else []
        rows.append(
            {
                _RUN: one.name,
                _BEST: best[1] if best else None,
                "Best epoch": best[0] if best else None,
                "Epochs done": f"{one.status.epoch} of {one.config.epochs}",
                "Minutes": round(one.status.elapsed / 60, 2),
                **{name: told[name] for name in (*names, *others)},
            }
        )
    table = pd.DataFrame(rows)
    table[_BEST] = table[_BEST].astype(float)
    table["Best epoch"] = table["Best epoch"].astype("Int64")
    return table.sort_values(_BEST, na_position="last", kind="stable", ignore_index=True)


def _opened() -> None:
    if click := st.session_state.get("main-run"):
        view.show(str(click["label"]), *view.shown())
