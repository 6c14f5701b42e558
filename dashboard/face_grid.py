"""A grid of faces with their keypoints; a click tells which face was chosen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from streamlit.components.v2 import component

from dashboard.loaders import png_url
from dashboard.words import short_label
from fkd.keypoints import KeypointSchema


def source(name: str) -> str:
    """Text of a file beside this one."""
    return (Path(__file__).parent / name).read_text()


MARKS, MARK_STYLE, ZOOM = source("marks.js"), source("marks.css"), source("zoom.js")
"""How marks are drawn and look, and how pictures are zoomed; goes before the code and the style of
components that do so."""

# Registered once per process: a component of the same name must not be registered again.
_grid = component(
    "fkd_face_grid",
    html='<div class="frame"><div class="grid"></div><div class="tip" hidden></div></div>',
    css=MARK_STYLE + source("face_grid.css"),
    js=MARKS + source("face_grid.js"),
)

POINTS, EDGES, NAMES, LACKING, PIXELS = "points", "edges", "names", "missing", "pixels"
TOGGLES = {
    POINTS: "points",
    EDGES: "edges",
    NAMES: "names",
    LACKING: "list missing",
    PIXELS: "raw pixels",
}
"""What can be shown on faces, by the word used in links."""


@dataclass(frozen=True)
class Face:
    """One face of the grid.

    Attributes:
        id: what a click reports.
        title, note: caption, left and right.
        image: ``(H, W)`` uint8.
        keypoints: ``(K, 2)`` px, the true points, drawn as dots; NaN = missing.
        predicted: ``(K, 2)`` px, drawn as rings, each with a line from the true point.
        ingested: ``(K, 2)`` px, the labels before any correction; corrected points get a halo, and
            a cross where they were.
        tags: words under the caption.
        dimmed: the picture is drawn pale.
    """

    id: str
    title: str
    image: NDArray[np.uint8]
    keypoints: NDArray[np.float32] | None = None
    note: str = ""
    predicted: NDArray[np.floating] | None = None
    ingested: NDArray[np.floating] | None = None
    tags: Sequence[str] = ()
    dimmed: bool = False


@dataclass(frozen=True)
class Choosing:
    """That faces of a grid can be chosen.

    Attributes:
        chosen: ids of the faces of this page that are.
        elsewhere: whether faces of other pages are.
        told: when the browser said so last, as ``on_choose`` was told.
        on_choose: called, before the next run, with the ids of the page, those of them that are
            chosen now, and when that was; without any ids where nothing is to be chosen any more.
    """

    chosen: Sequence[str]
    elsewhere: bool
    told: int
    on_choose: Callable[[Sequence[str], Sequence[str], int], None]


def face_grid(
    faces: Sequence[Face],
    schema: KeypointSchema,
    key: str,
    on_open: Callable[[str], None],
    *,
    face_px: int = 120,
    columns: int | None = None,
    pairs: bool = False,
    show: Sequence[str] = (POINTS,),
    mark_size: float = 1.4,
    page: int = 1,
    focus: str | None = None,
    choosing: Choosing | None = None,
) -> None:
    """Draw ``faces``, each at least ``face_px`` CSS px wide, or in exactly ``columns``; with
    ``pairs``, and an even number of columns, every two of them close together.

    ``on_open(id)`` is called, before the next run, with the face that was clicked. ``mark_size``
    is a dot's radius in image px. Another ``page`` is shown from its top. The face with the id
    ``focus`` is brought into view and gets the focus. With ``choosing``, faces can be chosen.
    """

    def opened() -> None:
        # A click may arrive when the next page is drawn already and the grid is gone.
        if chosen := (st.session_state.get(key) or {}).get("open"):
            on_open(str(chosen))

    def choose() -> None:
        told = (st.session_state.get(key) or {}).get("choose")
        if told and choosing is not None:
            faces = [str(id) for id in told.get("faces", ())]
            chosen = [str(id) for id in told.get("chosen", ())]
            choosing.on_choose(faces, chosen, int(told.get("told", 0)))

    _grid(
        key=key,
        on_open_change=opened,
        on_choose_change=choose,
        data={
            "faces": [face_data(face, schema, show) for face in faces],
            **style_data(schema, show),
            "face_px": face_px,
            "columns": columns,
            "pairs": pairs,
            "size": mark_size,
            "page": page,
            "focus": focus,
            "chosen": None if choosing is None else list(choosing.chosen),
            "elsewhere": choosing is not None and choosing.elsewhere,
            "told": 0 if choosing is None else choosing.told,
        },
    )


def style_data(schema: KeypointSchema, show: Sequence[str]) -> dict[str, object]:
    """What marks.js needs to know of the schema, and what to draw."""
    return {
        "points": [
            {"label": k.label, "short": short_label(k.label), "color": k.color}
            for k in schema.keypoints
        ],
        "edges": schema.edges,
        "width": schema.width,
        "height": schema.height,
        "show": list(show),
    }


def face_data(face: Face, schema: KeypointSchema, show: Sequence[str]) -> dict[str, object]:
    """One face as marks.js takes it."""
    lacking = ""
    if face.keypoints is not None and LACKING in show:
        here = np.isfinite(face.keypoints).all(axis=1)
        if not here.all():
            few = 2 * here.sum() < len(here)
            named = [schema.keypoints[k].label for k in np.flatnonzero(here if few else ~here)]
            word = "only" if few and named else "no"
            lacking = f"{word} {', '.join(map(short_label, named)) or 'points'}"
    return {
        "id": face.id,
        "title": face.title,
        "note": face.note,
        "lacking": lacking,
        "tags": ", ".join(face.tags),
        "dimmed": face.dimmed,
        "src": png_url(np.asarray(face.image)),
        "points": _places(face.keypoints, len(schema)),
        "predicted": _places(face.predicted, len(schema)),
        **_corrections(face),
    }


def _corrections(face: Face) -> dict[str, object]:
    """Which points were corrected, and where those were that had a place."""
    if face.keypoints is None or face.ingested is None:
        return {}
    same = np.isclose(face.keypoints, face.ingested, atol=1e-4, equal_nan=True).all(axis=1)
    if same.all():
        return {}
    before = np.where(same[:, None], np.nan, face.ingested)
    return {"corrected": (~same).tolist(), "before": _places(before, len(same))}


def _places(points: NDArray[np.floating] | None, count: int) -> list[list[float] | None]:
    """``(count, 2)`` px as plain numbers, None for a point that is not there."""
    if points is None:
        return [None] * count
    here = np.isfinite(points).all(axis=1).tolist()
    return [
        [round(x, 2), round(y, 2)] if ok else None
        for (x, y), ok in zip(np.asarray(points).tolist(), here, strict=True)
    ]
