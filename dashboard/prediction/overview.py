"""The photos that were chosen: how far predicting is, what became of each, which one is shown."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import streamlit as st

from dashboard.guard import guard, safely
from dashboard.prediction import downloads, work
from dashboard.prediction.work import Chosen, Job
from dashboard.tasks import Task
from dashboard.words import duration, plain
from fkd.inference.results import PhotoFaces, summary

_AT, _KNOWN = "predict-at", "predict-known"
_LOOK_S, _LOOK_MANY_S, _MANY = 0.4, 2.0, 200
"""Seconds between two looks at what was found by then, and of how many photos it is done less
often."""
_ROW, _ROWS = 35, 6
"""Height in px of a row of the list, and how many are in view."""
_TALL_ROW, _TALL_ROWS = 66, 4
"""The same where a result needs a second line: Streamlit wraps text in rows above four times the
size of its letters."""
_LINE = 95
"""Letters of a result that fit in one line on a narrow screen."""

Results = Sequence[PhotoFaces | None]
"""What was found on each photo; None where that is not known yet."""


def show(job: Job, chosen: Sequence[Chosen]) -> tuple[Chosen, PhotoFaces] | None:
    """The list of ``chosen``, which fills while they are predicted, and the one to look at, once it
    is known what was found on that."""
    at = _at(chosen)
    running = work.desk().state in {"running", "stopping"}
    result = _results(job, chosen)[at]
    every = (_LOOK_S if len(chosen) <= _MANY else _LOOK_MANY_S) if running else None
    st.fragment(_draw, run_every=every)(job, chosen, at, running, result is not None)
    return None if result is None else (chosen[at], result)


def _results(job: Job, chosen: Sequence[Chosen]) -> Results:
    found = work.desk().found
    return [found.get(job.key(one)) for one in chosen]


def _at(chosen: Sequence[Chosen]) -> int:
    """Which photo to look at: the one picked, at first the first new one."""
    ids = [one.id for one in chosen]
    known = st.session_state.get(_KNOWN, set())
    new = [id for id in ids if id not in known]
    if new:
        st.session_state[_AT] = new[0]
    st.session_state[_KNOWN] = set(ids)
    return ids.index(st.session_state[_AT]) if st.session_state.get(_AT) in ids else 0


def _draw(job: Job, chosen: Sequence[Chosen], at: int, running: bool, known: bool) -> None:
    with guard("predicting"):  # a fragment that draws itself anew has none around it
        own = work.desk()
        results = _results(job, chosen)
        going_on = own.state in {"running", "stopping"}
        if _at(chosen) != at or going_on != running or (results[at] is not None) != known:
            st.rerun()  # the photo below, or whether to look again, is another
        _progress(own, results)
        if len(chosen) > 1:
            _list(chosen, results, at)


def _progress(own: work.Desk, results: Results) -> None:
    """How far predicting is, with a way to end it; or how it ended."""
    task = own.task
    if task is None or own.state == "done":
        return
    again = safely("predicting", work.again)
    if own.state == "failed":
        st.error(plain(task.message), icon=":material/error:")
        st.button("Try again", type="primary", on_click=again)
    elif own.state == "stopped":
        waiting = sum(result is None for result in results)
        photos = f"{waiting:,} photo{'' if waiting == 1 else 's'}"
        st.info(
            f"Stopped. *Continue* predicts the remaining {photos}.", icon=":material/stop_circle:"
        )
        st.button("Continue", type="primary", on_click=again)
    else:
        stopping = own.state == "stopping"
        with st.container(horizontal=True, vertical_alignment="center"):
            st.progress(task.share, text="Stopping..." if stopping else _stage(task))
            st.button("Stop", icon=":material/stop:", disabled=stopping, on_click=own.stop)


def _stage(task: Task) -> str:
    if task.stage != work.PREDICTING:
        text = task.stage[:1].upper() + task.stage[1:]
    else:
        text = f"Predicting photo {min(task.done + 1, task.total):,} of {task.total:,}"
    left = task.seconds_left
    return plain(text) + (f", {duration(left)} left" if left is not None else "")


def _list(chosen: Sequence[Chosen], results: Results, at: int) -> None:
    """All photos in one table, or those that something became of; the row chosen in it is the
    photo shown."""
    known = [result for result in results if result is not None]
    st.markdown(f"**{summary(known, len(results) - len(known))}**")
    listed = _kind(chosen, results)
    rows = [_row(chosen[i].source.name, results[i]) for i in listed]
    frame = pd.DataFrame(rows)
    tall = frame["Result"].str.len().max() > _LINE
    row, in_view = (_TALL_ROW, _TALL_ROWS) if tall else (_ROW, _ROWS)
    key = "predict-overview"

    def picked() -> None:
        rows = st.session_state[key]["selection"]["rows"]
        if rows and rows[0] < len(listed):
            st.session_state[_AT] = chosen[listed[rows[0]]].id

    selected = [listed.index(at)] if at in listed else []
    st.session_state[key] = {"selection": {"rows": selected, "columns": [], "cells": []}}
    st.dataframe(
        frame,
        hide_index=True,
        width="stretch",
        height=40 + row * min(in_view, len(frame)),
        row_height=row,
        placeholder="",
        key=key,
        on_select=picked,
        selection_mode="single-row",
        alt="The photos, the faces found on each, and what there is to say of them",
        column_config={
            "Photo": st.column_config.TextColumn(width=190),
            "Faces": st.column_config.NumberColumn(width=60),
            "Confidence": st.column_config.NumberColumn(
                format="%.0f%%", width=100, help="Mean over all points of the photo."
            ),
            "Result": st.column_config.TextColumn(width=600),
        },
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        _turn(chosen, listed, at)
        downloads.of_list(frame)
        downloads.of_all(
            [(one, r) for one, r in zip(chosen, results, strict=True) if r is not None]
        )


def _kind(chosen: Sequence[Chosen], results: Results) -> list[int]:
    """Which photos are listed: all, or those of the kind that the user asks for, of which the first
    is shown then. Only kinds that occur are offered."""
    kinds = {
        "All photos": list(range(len(results))),
        "Not read": [i for i, r in enumerate(results) if r is not None and r.error],
        "No face": [
            i for i, r in enumerate(results) if r is not None and not r.error and not r.faces
        ],
    }
    kinds = {kind: listed for kind, listed in kinds.items() if listed}
    key = "predict-kind"
    if st.session_state.get(key) not in kinds:
        st.session_state[key] = next(iter(kinds))
    if len(kinds) == 1:
        return kinds[next(iter(kinds))]

    def show_first() -> None:
        asked = kinds.get(st.session_state[key], [])
        if asked and _at(chosen) not in asked:
            st.session_state[_AT] = chosen[asked[0]].id

    kind = st.segmented_control(
        "List",
        list(kinds),
        format_func=lambda kind: f"{kind} ({len(kinds[kind]):,})",
        key=key,
        required=True,
        label_visibility="collapsed",
        on_change=show_first,
    )
    return kinds[kind]


def _row(name: str, result: PhotoFaces | None) -> dict[str, object]:
    if result is None:
        return {"Photo": name, "Faces": None, "Confidence": None, "Result": "Not predicted yet"}
    scores = [face.score for face in result.faces]
    known = bool(scores) and bool(np.isfinite(scores).all())
    return {
        "Photo": name,
        "Faces": None if result.error else len(result.faces),
        "Confidence": 100 * float(np.mean(scores)) if known else None,
        "Result": _said(result),
    }


def _said(result: PhotoFaces) -> str:
    """What there is to say of a photo, first of all why it could not be read."""
    if result.error:
        reason = result.error
        if reason.startswith(f"{result.name} "):  # which stands beside it
            reason = "it" + reason[len(result.name) :]
        return f"Not read: {reason}"
    remarks = [text for some in result.doubts for text in some]
    if not result.faces:
        remarks.append("no face found")
    if result.note:
        remarks.append(result.note)
    text = "; ".join(dict.fromkeys(remarks))
    return text[:1].upper() + text[1:]


def _turn(chosen: Sequence[Chosen], listed: Sequence[int], at: int) -> None:
    """To the photo before and after the one shown, of those listed."""
    before = [i for i in listed if i < at]
    after = [i for i in listed if i > at]

    def to(number: int) -> None:
        st.session_state[_AT] = chosen[number].id

    st.button(
        "Previous photo",
        icon=":material/chevron_left:",
        shortcut="Left",
        disabled=not before,
        on_click=to,
        args=before[-1:],
    )
    place = f"Photo {len(before) + 1:,} of" if at in listed else ""
    st.markdown(f"{place} {len(listed):,}{'' if place else ' photos'}")
    st.button(
        "Next photo",
        icon=":material/chevron_right:",
        shortcut="Right",
        disabled=not after,
        on_click=to,
        args=after[:1],
    )
