"""Two people on one image: what the other has saved, and whose labels hold."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboard.correction import actions
from dashboard.correction.actions import acting
from dashboard.correction.desk import Desk
from dashboard.words import plain
from fkd.labels.point import PointLabel


def show_conflict(desk: Desk) -> None:
    """If the last save met somebody else's, say what changed meanwhile and let the person
    choose."""
    if desk.conflict is None:
        return
    names = desk.dataset.schema.names
    with st.container(border=True):
        st.warning(plain(str(desk.conflict)), icon=":material/group:")
        frame = pd.DataFrame(
            [
                (change.keypoint.replace("_", " "), in_words(change.old), in_words(change.new),
                 in_words(desk.sheet.labels[names.index(change.keypoint)]))
                for change in desk.conflict.changes
            ],
            columns=["point", "before", "theirs", "yours"],
        )  # fmt: skip
        st.dataframe(frame, hide_index=True, width="stretch")
        with st.container(horizontal=True):
            st.button(
                "Keep mine",
                key="correct-mine",
                type="primary",
                help="Your labels are saved after theirs; theirs stay in the history.",
                on_click=acting("keeping yours", actions.keep_mine),
            )
            st.button(
                "Take theirs",
                key="correct-theirs",
                help="Your unsaved changes of this image are dropped.",
                on_click=acting("taking theirs", actions.take_theirs),
            )


def in_words(label: PointLabel) -> str:
    """A label as tables show it."""
    if label.place is None:
        return label.state.word
    x, y = label.place
    return f"{x:.1f}, {y:.1f}" + (" occluded" if label.state.word == "occluded" else "")
