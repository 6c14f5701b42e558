"""The points of the face beside the canvas: the list, and what can be done with the chosen one."""

from __future__ import annotations

import math

import numpy as np
import streamlit as st
from streamlit.components.v2 import component

from dashboard.correction import actions
from dashboard.correction.actions import acting
from dashboard.correction.backdrop import reference_face
from dashboard.correction.desk import Desk
from dashboard.face_grid import source
from dashboard.loaders import usual_points
from dashboard.words import short_label
from fkd.labels.states import Origin, State

_list = component(
    "fkd_point_list",
    html='<div class="list" role="group"></div>',
    css=source("correction/point_list.css"),
    js=source("correction/point_list.js"),
)
_fields = component(
    "fkd_place_fields",
    html='<div class="fields">'
    '<label>x, px<input type="number" name="x"></label>'
    '<label>y, px<input type="number" name="y"></label></div>',
    css=source("correction/place_fields.css"),
    js=source("correction/place_fields.js"),
)
_KEY, _PLACE = "correct-points", "correct-place"
STEP = 0.25
"""px that a key moves a point by."""


def point_list(desk: Desk) -> None:
    """All points with their state, place and distance from the prediction."""
    drafts = set(desk.drafts())
    changed = set(desk.sheet.changed())
    lines = []
    for k, (keypoint, label) in enumerate(
        zip(desk.dataset.schema.keypoints, desk.sheet.labels, strict=True)
    ):
        off = _distance(desk, k)
        where = label.state.word if label.place is None else "{:.1f} {:.1f}".format(*label.place)
        if k in drafts:
            where = "draft"
        lines.append(
            {
                "label": short_label(keypoint.label),
                "color": keypoint.color,
                "state": ("draft" if k in drafts else label.state.word)
                + (" edited" if k in changed else ""),
                "where": where,
                "off": "" if off is None else f"{off:.1f}",
                "far": off is not None and off >= actions.FAR,
                "note": f"{keypoint.label}: {_origin(desk, k)}",
            }
        )

    def chosen() -> None:
        k = (st.session_state.get(_KEY) or {}).get("chosen")
        if isinstance(k, int) and 0 <= k < len(lines):
            acting("choosing a point", actions.choose(k))()

    _list(key=_KEY, on_chosen_change=chosen, data={"points": lines, "active": desk.active})


def _distance(desk: Desk, k: int) -> float | None:
    """px between the label and the prediction of keypoint ``k``."""
    place = desk.sheet.labels[k].place
    if place is None or desk.predicted is None or not np.isfinite(desk.predicted[k]).all():
        return None
    return math.dist(place, desk.predicted[k])


def _origin(desk: Desk, k: int) -> str:
    label = desk.sheet.labels[k]
    if label.state == State.MISSING and label.origin != Origin.REMOVED:
        return "nobody has placed it"
    words = {
        Origin.ORIGINAL: "as in the dataset",
        Origin.PREDICTION: f"accepted prediction of {label.source}",
        Origin.EDITED: "set by hand",
        Origin.REMOVED: "removed by hand",
        Origin.IMPORTED: f"imported from {label.source}",
    }
    return f"{label.state.word}, {words[label.origin]}"


def next_point(desk: Desk) -> None:
    """Which point a click places, shown on a small face."""
    schema, k = desk.dataset.schema, desk.active
    placed = [i for i, label in enumerate(desk.sheet.labels) if label.state.placed]
    with st.container(
        horizontal=True, vertical_alignment="center", gap="small", key="correct-naming"
    ):
        picture = reference_face(schema, usual_points(desk.dataset), k, placed)
        st.html(f'<img src="{picture}" width="76" height="76" alt="">', width=76)
        with st.container(gap=None):
            if k is None:
                left = len(desk.sheet.open_points())
                st.markdown("**Nothing to place**" if not left else f"**{left} left out**")
                st.caption("Drag a point, or click on one to choose it.")
                return
            label = desk.sheet.labels[k]
            verb = "Click to move" if label.state.placed else "Click to place"
            st.markdown(f"{verb}  \n**{schema.keypoints[k].label}**")


def point_actions(desk: Desk) -> None:
    """What can be done with the chosen point."""
    k = desk.active
    label = desk.sheet.labels[k] if k is not None else None
    placed = label is not None and label.state.placed
    row = st.container(horizontal=True, gap="xsmall")
    # Of a point that it never learned, the model has no place.
    has_draft = (
        k is not None and desk.predicted is not None and bool(np.isfinite(desk.predicted[k]).all())
    )
    for text, key, shortcut, act, usable, help_ in (
        ("Skip", "skip", "S", actions.skip_point, label is not None and not placed,
         "Leave this point missing and go on to the next"),
        ("Absent", "absent", "X", actions.mark(State.ABSENT), label is not None,
         "Somebody looked: it is not on the picture"),
        ("Occluded", "occluded", "O", actions.mark(State.OCCLUDED), label is not None,
         "It has a place, but something covers it"),
        ("Prediction", "accept", "P", actions.accept_active, has_draft,
         "Take the model's place for this point"),
        ("Remove", "remove", "Delete", actions.mark(State.MISSING), label is not None,
         "Take the label away"),
    ):  # fmt: skip
        row.button(
            text,
            key=f"correct-{key}",
            shortcut=shortcut,
            help=help_,
            type="tertiary",
            disabled=not usable,
            on_click=acting(f"{text.lower()} a point", act),
        )
    if label is not None and label.place is not None:
        _coordinates(desk, label.place)


def _coordinates(desk: Desk, place: tuple[float, float]) -> None:
    """The place of the chosen point, to be entered or nudged."""
    schema = desk.dataset.schema
    # A label may lie outside the image, as some of Kaggle's do; one that is entered may not.
    bounds = {"x": (-0.5, schema.width - 0.5), "y": (-0.5, schema.height - 0.5)}

    def entered() -> None:
        told = (st.session_state.get(_PLACE) or {}).get("entered")

        def act(desk: Desk) -> None:
            if told is not None and told["k"] == desk.active:
                now = dict(zip("xy", desk.sheet.labels[told["k"]].place or place, strict=True))
                now[told["axis"]] = float(told["value"])
                desk.change(desk.sheet.place({told["k"]: (now["x"], now["y"])}))

        acting("placing a point", act)()

    at = dict(zip("xy", map(float, place), strict=True))
    data = {"k": desk.active, "place": at, "bounds": bounds, "step": STEP}
    _fields(key=_PLACE, on_entered_change=entered, data=data)
    row = st.container(horizontal=True, gap="xsmall")
    for icon, key, dx, dy in (
        ("arrow_back", "Left", -STEP, 0.0),
        ("arrow_upward", "Up", 0.0, -STEP),
        ("arrow_downward", "Down", 0.0, STEP),
        ("arrow_forward", "Right", STEP, 0.0),
    ):
        row.button(
            "",
            icon=f":material/{icon}:",
            key=f"correct-nudge-{key}",
            help=f"Move by {STEP:g} px (Shift+{key.lower()} arrow)",
            type="tertiary",
            on_click=acting("moving a point", actions.nudge(dx, dy)),
        )
