"""Several runs side by side: what came of them, and what they were told differently."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboard.training import view
from dashboard.training.listing import Listed
from dashboard.training.settings_table import all_in_words, differing
from dashboard.training.table import columns, frame, shown
from dashboard.widgets import download_table


def table(found: list[Listed]) -> None:
    """The runs as they stand, the one shown in full first."""
    st.dataframe(
        shown(frame(found)),
        hide_index=True,
        width="stretch",
        column_config=columns("main-run", lambda name: view.show(name, *view.shown())),
        key="compared-runs",
    )
    download_table(frame(found), "compared-runs")
    if len({one.config.split.digest for one in found}) > 1:
        st.warning(
            "Not comparable: these runs were validated on different images. Runs of the same "
            "dataset, share and seed have the same split.",
            icon=":material/compare_arrows:",
        )


def differences(found: list[Listed]) -> None:
    """The settings in which the runs differ."""
    st.markdown("#### Differences in settings")
    names = differing([one.config for one in found])
    if not names:
        st.caption("None: these runs were told the same.")
        return
    told = {one.name: all_in_words(one.config) for one in found}
    different = pd.DataFrame(
        {
            "setting": names,
            **{run: [values[name] for name in names] for run, values in told.items()},
        }
    )
    st.dataframe(different, hide_index=True, width="stretch")
    download_table(different, "differences")
