"""One photo with its faces: the picture, what the model saw, the coordinates."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import streamlit as st

from dashboard import face_grid as grid
from dashboard.guard import safely
from dashboard.photo_view import (
    SHOWN_SIDE,
    Box,
    Detail,
    Focus,
    detail,
    photo_view,
    shown_url,
)
from dashboard.prediction import downloads, view
from dashboard.prediction.sending import send_button
from dashboard.prediction.view import View
from dashboard.prediction.work import Chosen, Job, desk, predict_boxes
from dashboard.words import plain
from fkd.evaluation.learned import listed, names
from fkd.inference.pipeline import of_box
from fkd.inference.results import PhotoFaces

_SHOWN, _DETAIL, _FOCUS = "predict-shown-photo", "predict-detail", "predict-focus"


def show(shown: View, job: Job, chosen: Chosen, result: PhotoFaces) -> None:
    """The photo, its faces, their points; and the ways to put right what was not found."""
    if result.error:
        st.error(plain(result.error), icon=":material/error:")
        return
    if result.note:
        st.caption(plain(f"{result.name}: {result.note}."))
    left, right = st.columns([3, 2], gap="large")
    with left:
        _photo(shown, job, chosen, result)
    with right:
        if result.faces:
            _faces(job, chosen, result)
        else:
            st.info(
                "No face was found. Turn on *Draw a box* and drag a box around each face: the "
                "model predicts the points in it.",
                icon=":material/frame_inspect:",
            )
        _mend(job, chosen, result)
    if result.faces:
        _table(result)


def _photo(shown: View, job: Job, chosen: Chosen, result: PhotoFaces) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        st.pills(
            "Show",
            list(view.SHOWABLE),
            selection_mode="multi",
            format_func=view.SHOWABLE.get,
            label_visibility="collapsed",
            **view.linked(shown, "show"),
        )
        size = st.slider(
            "Point size", 0.5, 3.0, 1.0, 0.25, key="predict-size", width=160, format="%.2gx"
        )
        drawing = st.toggle(
            "Draw a box",
            key="predict-draw",
            help="Drag around a face that was not found, or whose box is wrong. The model moves "
            "the box to fit the eyes and the mouth it finds there.",
        )

    def draw(box: Box) -> None:
        safely("predicting in the box", _take_box, job, chosen, result, box)()

    with st.container(key="photo-frame"):
        count = len(result.faces)
        photo_view(
            chosen.id,
            f"{result.name}, {count} face{'' if count == 1 else 's'} found",
            _url(chosen),
            (result.width, result.height),
            result.faces,
            "predict-photo",
            show=shown.show,
            mark_size=size,
            focus=_focus(chosen, result),
            draw=draw if drawing else None,
        )
    st.caption(
        f"{plain(result.name)}, {result.width} x {result.height} px. Wheel: zoom. Drag: move. "
        "Double-click: whole photo. Left and right are the subject's."
    )
    downloads.of_photo(chosen, result)


def _url(chosen: Chosen) -> str:
    """The picture of the photo shown last is kept: every rerun needs it."""
    kept: tuple[str, str] | None = st.session_state.get(_SHOWN)
    if kept is None or kept[0] != chosen.id:
        kept = (chosen.id, shown_url(chosen.source.load().color))
        st.session_state[_SHOWN] = kept
    return kept[1]


def _zoom_to(chosen: Chosen, number: str) -> None:
    """From the next run on the photo is zoomed to a face, again where it was before."""
    st.session_state[_FOCUS] = Focus(int(number), f"{chosen.id} {time.monotonic()}")


def _focus(chosen: Chosen, result: PhotoFaces) -> Focus | None:
    """The face of ``chosen`` that was clicked last, and the photo around it."""
    focus: Focus | None = st.session_state.get(_FOCUS)
    if focus is None or not focus.token.startswith(f"{chosen.id} "):
        return None
    if focus.number > len(result.faces):
        return None
    face = result.faces[focus.number - 1]
    place = (chosen.id, face.frame)
    kept: tuple[object, Detail | None] | None = st.session_state.get(_DETAIL)
    if kept is None or kept[0] != place:
        large = max(result.width, result.height) > SHOWN_SIDE
        kept = (place, detail(chosen.source.load().color, face) if large else None)
        st.session_state[_DETAIL] = kept
    return replace(focus, detail=kept[1])


def _take_box(job: Job, chosen: Chosen, result: PhotoFaces, box: Box) -> None:
    """A face in ``box``, in the place of those whose centre lies in it."""
    x, y, width, height = box
    others = [
        face.frame
        for face in result.faces
        if not (x <= face.frame.x <= x + width and y <= face.frame.y <= y + height)
    ]
    predict_boxes(job, chosen, [*others, of_box(x, y, width, height)])


def _without(job: Job, chosen: Chosen, result: PhotoFaces, number: int) -> None:
    frames = [face.frame for n, face in enumerate(result.faces, 1) if n != number]
    predict_boxes(job, chosen, frames)


def _detect_again(job: Job, chosen: Chosen) -> None:
    desk().found.pop(job.key(chosen), None)
    desk().before.pop(job.key(chosen), None)


def _faces(job: Job, chosen: Chosen, result: PhotoFaces) -> None:
    """What the model saw of each face, and why to doubt it."""
    faces = result.faces
    schema = faces[0].schema
    st.caption(
        f"What the model saw: {schema.width} x {schema.height} px of each face, with its points. "
        "Click a face to zoom the photo there."
    )
    grid.face_grid(
        [
            grid.Face(
                id=str(number),
                title=f"Face {number}",
                note=f"confidence {face.score:.0%}" if np.isfinite(face.score) else "",
                image=face.crop,
                predicted=face.inside,
            )
            for number, face in enumerate(faces, 1)
        ],
        schema,
        "predict-faces",
        lambda number: _zoom_to(chosen, number),
        columns=1 if len(faces) == 1 else 2 if len(faces) <= 4 else 4,
        mark_size=1.1,
    )
    _say_doubts(result.doubts)
    downloads.of_faces(result)


def _mend(job: Job, chosen: Chosen, result: PhotoFaces) -> None:
    """What can be done about the faces: leave some out, undo, detect again, send them on."""
    faces, key = result.faces, job.key(chosen)
    edited = bool(desk().before.get(key))
    with st.container(horizontal=True):
        if faces:
            send_button(faces, job.model.name)
        if len(faces) > 4:
            focus = _focus(chosen, result)
            removable = [focus.number] if focus is not None else []
        else:
            removable = list(range(1, len(faces) + 1))
        for number in removable:
            st.button(
                f"Remove face {number}" if len(faces) > 1 else "Remove face",
                key=f"predict-without-{number}",
                type="tertiary",
                icon=":material/close:",
                help="For what is not a face. You can undo this.",
                on_click=safely("removing a face", _without, job, chosen, result, number),
            )
        if edited:
            st.button(
                "Undo",
                key="predict-undo",
                type="tertiary",
                icon=":material/undo:",
                on_click=safely("undoing", desk().undo, key),
            )
            st.button(
                "Detect faces again",
                key="predict-detect-again",
                type="tertiary",
                icon=":material/refresh:",
                help="Discards boxes drawn by hand and brings removed faces back.",
                on_click=safely("detecting again", _detect_again, job, chosen),
            )


def _say_doubts(doubts: Sequence[Sequence[str]]) -> None:
    said = [
        (f"Face {number}: " if len(doubts) > 1 else "") + "; ".join(some)
        for number, some in enumerate(doubts, 1)
        if some
    ]
    if said:
        text = "  \n".join(plain(line[0].upper() + line[1:] + ".") for line in said)
        st.warning(text, icon=":material/warning:")


def _table(result: PhotoFaces) -> None:
    schema = result.faces[0].schema
    lacking = names(~result.faces[0].given, schema)
    if lacking:
        st.caption(
            f"Not predicted: {listed(lacking)}. This model was trained on images without labels "
            "for them."
        )
    frame = pd.DataFrame(
        [
            ("●", number, keypoint.label + ("" if given else ", not predicted"), x, y, 100 * sure)
            for number, face in enumerate(result.faces, 1)
            for keypoint, (x, y), sure, given in zip(
                face.schema.keypoints, face.points, face.confidence, face.given, strict=True
            )
        ],
        columns=["Color", "Face", "Keypoint", "x", "y", "Confidence"],
    )
    colors = [f"color: {k.color}" for k in schema.keypoints] * len(result.faces)
    st.dataframe(
        frame.style.apply(lambda column: colors, subset=["Color"]),
        hide_index=True,
        width="stretch",
        height=min(600, 38 + 35 * len(frame)),
        placeholder="",
        key="predict-points",
        alt="The predicted points of each face, in px of the photo",
        column_config={
            "Color": st.column_config.TextColumn("", width=36),
            "Face": st.column_config.NumberColumn(width=60),
            "x": st.column_config.NumberColumn("x (px)", format="%.1f"),
            "y": st.column_config.NumberColumn("y (px)", format="%.1f"),
            "Confidence": st.column_config.ProgressColumn(
                help="How likely the point is within a tenth of the distance between the eyes of "
                "its true place, as the model estimates it.",
                format="%.0f%%",
                min_value=0,
                max_value=100,
            ),
        },
    )
    downloads.of_points(result)
