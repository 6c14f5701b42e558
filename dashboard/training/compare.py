"""Several runs side by side: what came of them, and what they were told differently."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboard.training import view
from dashboard.training.listing import Listed
from dashboard.training.settings_table import in_words, name_in_words
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
    first = found[0].config
    names = dict.fromkeys(k for one in found[1:] for k in first.differences(one.config))
    if not names:
        st.caption("None: these runs were told the same.")
        return
    flat = {one.name: one.config.flat() for one in found}
    different = pd.DataFrame(
        {
            "setting": [name_in_words(name) for name in names],
            **{run: [in_words(values[name]) for name in names] for run, values in flat.items()},
        }
    )
    st.dataframe(different, hide_index=True, width="stretch")
    download_table(different, "differences")
