"""One photo with its faces: the picture, what the model saw, the coordinates."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import streamlit as st

from dashboard import face_grid as grid
from dashboard.guard import safely
from dashboard.photo_view import BOXES, Box, photo_view, shown_url
from dashboard.prediction.sending import send_button
from dashboard.prediction.work import Chosen, Job, desk, predict_boxes
from dashboard.words import plain
from fkd.evaluation.learned import listed, names
from fkd.inference.pipeline import of_box
from fkd.inference.results import PhotoFaces

_TOGGLES = {BOXES: "boxes", grid.POINTS: "points", grid.EDGES: "edges"}
_SHOWN = "predict-shown-photo"


def show(job: Job, chosen: Chosen, result: PhotoFaces) -> None:
    """The photo, its faces, their points; and the ways to put right what was not found."""
    if result.error:
        st.error(plain(result.error), icon=":material/error:")
        return
    if result.note:
        st.caption(plain(f"{result.name}: {result.note}."))
    left, right = st.columns([3, 2], gap="large")
    with left:
        _photo(job, chosen, result)
    with right:
        if result.faces:
            _faces(job, chosen, result)
        else:
            st.info(
                "No face was found. Turn on *Draw a box* and drag one around each face; the model "
                "takes it from there.",
                icon=":material/frame_inspect:",
            )
    if result.faces:
        _table(result)


def _photo(job: Job, chosen: Chosen, result: PhotoFaces) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        shown = st.pills(
            "Show",
            list(_TOGGLES),
            selection_mode="multi",
            default=[BOXES, grid.POINTS],
            format_func=_TOGGLES.get,
            key="predict-show",
            label_visibility="collapsed",
        )
        size = st.slider(
            "Point size", 0.5, 3.0, 1.0, 0.25, key="predict-size", width=160, format="%.2gx"
        )
        drawing = st.toggle(
            "Draw a box",
            key="predict-draw",
            help="Drag around a face that was not found, or around one whose box is wrong. The "
            "model cuts it out again by the eyes and the mouth that it sees there.",
        )

    def draw(box: Box) -> None:
        safely("predicting in the box", _take_box, job, chosen, result, box)()

    with st.container(key="photo-frame"):
        photo_view(
            chosen.id,
            _url(chosen),
            (result.width, result.height),
            result.faces,
            "predict-photo",
            show=shown,
            mark_size=size,
            draw=draw if drawing else None,
        )
    st.caption(
        f"{plain(result.name)}, {result.width} x {result.height} px. Wheel zooms, dragging moves, "
        "double-click resets. Left and right are the subject's."
    )


def _url(chosen: Chosen) -> str:
    """The picture of the photo shown last is kept: every rerun needs it."""
    kept: tuple[str, str] | None = st.session_state.get(_SHOWN)
    if kept is None or kept[0] != chosen.id:
        kept = (chosen.id, shown_url(chosen.source.load().color))
        st.session_state[_SHOWN] = kept
    return kept[1]


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


def _search_again(job: Job, chosen: Chosen) -> None:
    desk().found.pop(job.key(chosen), None)


def _faces(job: Job, chosen: Chosen, result: PhotoFaces) -> None:
    """What the model saw of each face, and why to doubt it."""
    faces = result.faces
    st.caption(
        f"What the model saw, {faces[0].schema.width} x {faces[0].schema.height} px each, with "
        "its points."
    )
    grid.face_grid(
        [
            grid.Face(
                id=str(number),
                title=f"face {number}",
                note=f"{face.score:.0%} sure" if np.isfinite(face.score) else "",
                image=face.crop,
                predicted=face.inside,
            )
            for number, face in enumerate(faces, 1)
        ],
        faces[0].schema,
        "predict-faces",
        lambda number: st.session_state.update({"predict-face": int(number)}),
        columns=1 if len(faces) == 1 else 2 if len(faces) <= 4 else 4,
        mark_size=1.1,
    )
    _say_doubts(result.doubts)
    with st.container(horizontal=True):
        for number in range(1, len(faces) + 1) if len(faces) <= 4 else ():
            st.button(
                f"Not a face: {number}" if len(faces) > 1 else "Not a face",
                key=f"predict-without-{number}",
                type="tertiary",
                icon=":material/close:",
                on_click=safely("leaving a face out", _without, job, chosen, result, number),
            )
        send_button(faces, job.model.name)
        st.button(
            "Search again",
            key="predict-search-again",
            type="tertiary",
            icon=":material/refresh:",
            help="Forget boxes drawn by hand.",
            on_click=safely("searching again", _search_again, job, chosen),
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
    face = result.faces[0]
    lacking = names(~face.given, face.schema)
    if lacking:
        st.caption(
            f"Not learned: {listed(lacking)}. No image that this model was trained on had a label "
            "of them, so it gives them no place."
        )
    frame = pd.DataFrame(
        [
            (number, keypoint.label + ("" if here else ", not learned"), x, y, 100 * sure)
            for number, face in enumerate(result.faces, 1)
            for keypoint, (x, y), sure, here in zip(
                face.schema.keypoints, face.points, face.confidence, face.given, strict=True
            )
        ],
        columns=["face", "keypoint", "x", "y", "sure"],
    )
    st.dataframe(
        frame,
        hide_index=True,
        width="stretch",
        height=min(600, 38 + 35 * len(frame)),
        column_config={
            "x": st.column_config.NumberColumn("x, px of the photo", format="%.1f"),
            "y": st.column_config.NumberColumn("y, px of the photo", format="%.1f"),
            "sure": st.column_config.ProgressColumn(
                "sure",
                help="How likely the point lies within a tenth of the distance between the eyes "
                "of where it belongs, by what the model expects of itself.",
                format="%.0f %%",
                min_value=0,
                max_value=100,
            ),
        },
    )
