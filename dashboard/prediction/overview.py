"""Several photos: a table of what was found on each, and which one is looked at."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import streamlit as st

from dashboard.prediction.work import Chosen
from dashboard.words import plain
from fkd.inference.results import PhotoFaces

_AT, _KNOWN = "predict-at", "predict-known"


def pick(photos: Sequence[tuple[Chosen, PhotoFaces]]) -> int:
    """Which of ``photos`` to look at: what the user picked, at first the newest."""
    ids = [chosen.id for chosen, _ in photos]
    known = st.session_state.get(_KNOWN, set())
    new = [one for one in ids if one not in known]
    if new:
        st.session_state[_AT] = new[0]
    st.session_state[_KNOWN] = set(ids)
    at = ids.index(st.session_state[_AT]) if st.session_state.get(_AT) in ids else 0
    if len(photos) > 1:
        _turn(ids, at)
    return at


def _turn(ids: list[str], at: int) -> None:
    def to(number: int) -> None:
        st.session_state[_AT] = ids[number]

    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Previous",
            icon=":material/chevron_left:",
            shortcut="Left",
            disabled=at == 0,
            on_click=to,
            args=(at - 1,),
        )
        st.markdown(f"photo {at + 1} of {len(ids)}")
        st.button(
            "Next",
            icon=":material/chevron_right:",
            shortcut="Right",
            disabled=at == len(ids) - 1,
            on_click=to,
            args=(at + 1,),
        )


def table(photos: Sequence[tuple[Chosen, PhotoFaces]]) -> None:
    """All photos in one table; a click on a row shows that photo."""
    frame = pd.DataFrame([_row(result) for _, result in photos])
    bad = int((frame["remarks"] != "").sum())
    faces = int(frame["faces"].sum())
    st.caption(
        f"{faces:,} faces on {len(frame):,} photos"
        + (f"; {bad:,} with remarks." if bad else ".")
        + " A click on the box before a row shows the photo."
    )
    key = "predict-overview"

    def picked() -> None:
        rows = st.session_state[key]["selection"]["rows"]
        if rows and rows[0] < len(photos):
            st.session_state[_AT] = photos[rows[0]][0].id

    st.dataframe(
        frame,
        hide_index=True,
        width="stretch",
        height=min(320, 38 + 35 * len(frame)),
        key=key,
        on_select=picked,
        selection_mode="single-row",
        column_config={
            "sure": st.column_config.NumberColumn(format="%.0f %%", help="Mean over all points.")
        },
    )


def _row(result: PhotoFaces) -> dict[str, object]:
    scores = [face.score for face in result.faces]
    known = bool(scores) and bool(np.isfinite(scores).all())
    remarks = [text for some in result.doubts for text in some]
    if not result.error and not result.faces:
        remarks.append("no face found")
    return {
        "photo": result.name,
        "faces": len(result.faces),
        "sure": 100 * float(np.mean(scores)) if known else None,
        "remarks": result.error or "; ".join(dict.fromkeys(remarks)),
    }


def failures(photos: Sequence[tuple[Chosen, PhotoFaces]]) -> None:
    """The files that could not be read, each with its reason."""
    reasons = [result.error for _, result in photos if result.error]
    if reasons and len(photos) > 1:
        one = len(reasons) == 1
        with st.expander(f"{len(reasons):,} file{'' if one else 's'} could not be read"):
            st.markdown("\n".join(f"- {plain(reason)}" for reason in reasons[:200]))
