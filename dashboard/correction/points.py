"""The points of the face beside the canvas: the list, and what can be done with the chosen one."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import streamlit as st
from streamlit.components.v2 import component

from dashboard.correction import actions
from dashboard.correction.actions import acting
from dashboard.correction.desk import Desk
from dashboard.correction.pictures import reference_face
from dashboard.face_grid import source
from dashboard.loaders import usual_points
from fkd.labels.states import Origin, State

_list = component(
    "fkd_point_list",
    html='<div class="naming"><img width="46" height="46" alt="" hidden><div class="words">'
    '<span class="verb"></span><strong class="name"></strong></div>'
    '<label>x, px<input type="number" name="x"></label>'
    '<label>y, px<input type="number" name="y"></label></div>'
    '<div class="list" role="group" aria-label="Points"></div>',
    css=source("correction/point_list.css"),
    js=source("correction/point_list.js"),
)
_KEY = "correct-points"
STEP = 0.25
"""px that a key moves a point by."""

_CHOOSING = "1234567890dgijlmtvwy"
"""Keys that choose points, in their order: digits, then letters that mean nothing else."""


def key_of(k: int) -> str:
    """The key that chooses keypoint ``k``; empty where there are more points than keys."""
    return _CHOOSING[k : k + 1]


def point_list(desk: Desk) -> None:
    """Which point a click places, its coordinates, and all points with their state and place."""
    suggested = set(desk.drafts())
    changed = set(desk.sheet.changed())
    marks = desk.marks()
    lines = []
    for k, (keypoint, label) in enumerate(
        zip(desk.dataset.schema.keypoints, desk.sheet.labels, strict=True)
    ):
        off = _distance(desk, k)
        state = "suggested" if k in suggested else label.state.word
        x, y = (f"{v:.1f}" for v in marks[k].place) if k in marks else ("", "")
        lines.append(
            {
                "key": key_of(k),
                "label": keypoint.label,
                "color": keypoint.color,
                "state": state,
                "edited": k in changed,
                "x": x,
                "y": y,
                "off": "" if off is None else f"{off:.1f}",
                "far": off is not None and off >= actions.FAR,
                "note": f"{keypoint.label[:1].upper()}{keypoint.label[1:]}: {_origin(desk, k)}"
                + (", not saved yet" if k in changed else ""),
            }
        )

    def entered() -> None:
        value = (st.session_state.get(_KEY) or {}).get("entered")
        if isinstance(value, dict):
            acting("placing a point", lambda desk: _enter(desk, value))()

    schema = desk.dataset.schema
    place = desk.sheet.labels[desk.active].place if desk.active is not None else None
    _list(
        key=_KEY,
        on_entered_change=entered,
        data={
            "points": lines,
            "active": desk.active,
            **_naming(desk),
            "place": None if place is None else dict(zip("xy", map(float, place), strict=True)),
            # A label may lie outside the image, as some of Kaggle's do; one that is entered may
            # not.
            "bounds": {"x": (-0.5, schema.width - 0.5), "y": (-0.5, schema.height - 0.5)},
            "step": STEP,
        },
    )


def _naming(desk: Desk) -> dict[str, str]:
    """Which point a click places, and for one that is to be placed, where it usually is."""
    schema, k = desk.dataset.schema, desk.active
    if k is None:
        left = len(desk.sheet.open_points())
        name = (
            f"{left} {'point' if left == 1 else 'points'} skipped" if left else "Nothing to place"
        )
        return {"verb": "Click a point to choose it", "name": name, "picture": ""}
    if desk.sheet.labels[k].state.placed:
        return {"verb": "Click to move", "name": schema.keypoints[k].label, "picture": ""}
    placed = [i for i, label in enumerate(desk.sheet.labels) if label.state.placed]
    picture = reference_face(schema, usual_points(desk.dataset), k, placed)
    return {"verb": "Click to place", "name": schema.keypoints[k].label, "picture": picture}


def _enter(desk: Desk, told: dict[str, Any]) -> None:
    """Put the chosen point where a number that was entered says."""
    k, axis, value = told.get("k"), told.get("axis"), told.get("value")
    if k is None or k != desk.active or axis not in ("x", "y"):
        return
    place = desk.sheet.labels[k].place
    if place is not None and isinstance(value, int | float):
        now = dict(zip("xy", place, strict=True)) | {axis: float(value)}
        desk.change(desk.sheet.place({k: (now["x"], now["y"])}))


def _distance(desk: Desk, k: int) -> float | None:
    """px between the label and the prediction of keypoint ``k``."""
    place = desk.sheet.labels[k].place
    if place is None or desk.predicted is None or not np.isfinite(desk.predicted[k]).all():
        return None
    return math.dist(place, desk.predicted[k])


def _origin(desk: Desk, k: int) -> str:
    label = desk.sheet.labels[k]
    if label.state == State.MISSING and label.origin != Origin.REMOVED:
        return "not labelled"
    words = {
        Origin.ORIGINAL: "as in the dataset",
        Origin.PREDICTION: f"accepted prediction of {label.source}",
        Origin.EDITED: "set by hand",
        Origin.REMOVED: "removed by hand",
        Origin.IMPORTED: f"imported from {label.source}",
    }
    return f"{label.state.word}, {words[label.origin]}"


def point_actions(desk: Desk) -> None:
    """What can be done with the chosen point, and with those outside the image."""
    k = desk.active
    label = desk.sheet.labels[k] if k is not None else None
    placed = label is not None and label.state.placed
    row = st.container(horizontal=True, gap="xxsmall", key="correct-actions")
    # Of a point that it never learned, the model has no place.
    has_prediction = (
        k is not None and desk.predicted is not None and bool(np.isfinite(desk.predicted[k]).all())
    )
    for text, key, shortcut, act, usable, help_ in (
        ("Skip", "skip", "S", actions.skip_point, label is not None and not placed,
         "Leave this point missing and go on to the next"),
        ("Absent", "absent", "X", actions.mark(State.ABSENT), label is not None,
         "The point is not in the picture"),
        ("Occluded", "occluded", "O", actions.mark(State.OCCLUDED), label is not None,
         "The point has a place, but something covers it"),
        ("Use prediction", "accept", "P", actions.accept_active, has_prediction,
         "Put the point where the model predicts it"),
        ("Remove", "remove", "Delete", actions.mark(State.MISSING), label is not None,
         "Remove the label of this point"),
    ):  # fmt: skip
        row.button(
            text,
            key=f"correct-{key}",
            help=f"{help_} ({shortcut})",
            type="tertiary",
            disabled=not usable,
            on_click=acting(f"{text.lower()} a point", act),
        )
    if outside := actions.outside(desk):
        points = "1 point" if len(outside) == 1 else f"{len(outside)} points"
        st.button(
            f"Bring {points} back into the image",
            key="correct-inside",
            help="To the nearest place at the edge",
            width="stretch",
            on_click=acting("bringing points back", actions.bring_back),
        )
