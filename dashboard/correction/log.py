"""The history of the image on the canvas: who did what, and the way back to any of it."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboard.correction.actions import acting, tell
from dashboard.correction.conflict import in_words
from dashboard.correction.desk import Desk
from dashboard.widgets import show_table
from fkd.labels.history import revert


def image_log(desk: Desk) -> None:
    """Versions that changed the image, the latest first, with a button back to each."""
    with st.expander(
        "History of this image",
        icon=":material/history:",
        key="correct-history",
        on_change="rerun",
    ) as opened:
        if not opened.open:
            return
        versions = {v.number: v for v in desk.store.versions(desk.sheet.row)}
        if not versions:
            st.caption("Not changed yet: these are the labels that came with the dataset.")
            return
        changes = desk.store.changes(row=desk.sheet.row)
        frame = pd.DataFrame(
            [
                (c.number, versions[c.number].kind, versions[c.number].author,
                 versions[c.number].at[:16].replace("T", " "), c.keypoint.replace("_", " "),
                 in_words(c.old), in_words(c.new), c.new.origin.word)
                for c in reversed(changes)
            ],
            columns=["Version", "Change", "Author", "Time (UTC)", "Keypoint", "Old", "New",
                     "Origin"],
        )  # fmt: skip
        show_table(frame, f"history-{desk.dataset.name}-{desk.sheet.row}", height=220)
        with st.container(horizontal=True, vertical_alignment="bottom"):
            number = st.selectbox(
                "Revert this image to",
                [*reversed(versions), 0],
                format_func=_called,
                key="correct-back-to",
                width=180,
            )
            st.button(
                "Revert",
                key="correct-revert",
                help="Saves these labels as a new version; nothing is deleted.",
                on_click=acting("reverting", lambda desk: _revert(desk, number)),
            )


def _called(number: int) -> str:
    return f"version {number}" if number else "the original labels"


def _revert(desk: Desk, number: int) -> None:
    version = revert(desk.store, number, desk.author, row=desk.sheet.row)
    desk.reload()
    tell(
        f"Reverted to {_called(number)}, saved as version {version.number}."
        if version
        else f"The labels are those of {_called(number)} already."
    )
