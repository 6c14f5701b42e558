"""One face of Browse, large, with everything known about it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import streamlit as st

from dashboard import routes
from dashboard.browse import chosen, facts, grid, models, said, view
from dashboard.browse.controls import mark_controls
from dashboard.browse.view import View
from dashboard.current import Current
from dashboard.face_grid import (
    EDGES,
    LACKING,
    NAMES,
    PIXELS,
    POINTS,
    TOGGLES,
    Face,
    face_grid,
)
from dashboard.face_picture import annotated_png
from dashboard.face_view import face_view
from dashboard.words import plain
from fkd.labels.tags import Tags


def show_detail(shown: View, current: Current) -> None:
    """Draw the face that ``shown.open`` names, or say that there is none."""
    dataset, part = current.dataset, shown.selection.part
    assert shown.open is not None
    training = part == "training"
    position = dataset.position(shown.open) if training else dataset.test_position(shown.open)
    if position is None:
        _not_there(shown, current)
        return
    view.note_open(shown)
    _navigation(shown, current, position)
    said.tell()
    if training:
        current = models.with_view_predicted(shown, current, [position])
    picture, beside = st.columns([1.15, 1], gap="medium")
    image = (dataset.images if training else dataset.test_images)[position]
    keypoints = np.array(dataset.keypoints[position]) if training else None
    with picture:
        face = grid.face(current, shown, position, Tags())
        face_view(face, dataset.schema, "b-face", show=shown.show, mark_size=shown.mark_size)
        _downloads(shown, current, image, keypoints, position)
    with beside:
        if training:
            models.tell_one(shown, current, position)
            chosen.tags_of(current.dataset, shown.open)
            facts.training_facts(current, position)
        else:
            facts.test_facts(current, position)
    _duplicates(shown, current, position)


def _not_there(shown: View, current: Current) -> None:
    word = "row" if shown.selection.part == "training" else "test image"
    rows = current.dataset.rows
    hint = f" Rows go from {rows[0]} to {rows[-1]}." if word == "row" and len(rows) else ""
    st.warning(
        f"Dataset '{current.dataset.name}' has no {word} {shown.open}.{hint}",
        icon=":material/search_off:",
    )
    _back_button(shown)


def _back_button(shown: View) -> None:
    st.button(
        "Grid",
        icon=":material/grid_view:",
        shortcut="Esc",
        help="Back to the grid",
        on_click=lambda: view.answer(shown, replace(shown, open=None)),
    )


def _navigation(shown: View, current: Current, position: int) -> None:
    """Previous and next in the order of the grid, by button and by key."""
    dataset, training = current.dataset, shown.selection.part == "training"
    found = shown.found(current)
    here = np.flatnonzero(found == position)
    at = int(here[0]) if len(here) else None
    ids = dataset.rows if training else dataset.test_image_ids

    def go(to: int | None, by: int) -> None:
        now = view.latest(dataset.schema)
        if now.open is None:
            return  # a key that comes after Esc has closed the face
        if to is None:
            place = dataset.position(now.open) if training else dataset.test_position(now.open)
            at_now = np.flatnonzero(found == place)
            if not len(at_now):
                return
            to = int(at_now[0]) + by
        to = min(max(to, 0), last)
        view.write(replace(now, open=int(ids[found[to]]), page=to // now.per_page + 1))

    last = len(found) - 1
    title = f"Row {shown.open}" if training else f"Test image {shown.open}"
    moves = [
        ("First", "first_page", "Home", 0, 0, at == 0),
        ("Previous", "chevron_left", "Left", None, -1, at is None or at == 0),
        ("Next", "chevron_right", "Right", None, 1, at is None or at == last),
        ("Last", "last_page", "End", last, 0, at == last),
    ]
    bar = st.container(horizontal=True, vertical_alignment="center", gap="small")
    with bar:
        # The page of the grid that has this face, however it was come to.
        _back_button(shown if at is None else replace(shown, page=at // shown.per_page + 1))
        where = "not in this selection" if at is None else f"{at + 1:,} of {last + 1:,}"
        st.markdown(f"### {title} :small[:gray[{where}]]", width="stretch")
        for label, icon, key, to, by, nowhere in moves:
            st.button(
                label,
                key=f"b-{label}",
                icon=f":material/{icon}:",
                shortcut=key,
                disabled=nowhere or last < 0,
                on_click=go,
                args=(to, by),
            )
        if training and st.button(
            "Correct",
            icon=":material/edit_location_alt:",
            shortcut="E",
            help="Correct the labels of this face",
        ):
            routes.correct(int(dataset.rows[position]), dataset.name)
        with st.popover("View", icon=":material/tune:"):
            mark_controls(shown, [key for key in TOGGLES if key != LACKING])
    if filters := shown.selection.describe(dataset.schema, current.measures):
        st.caption(plain(f"Filtered by: {filters}"))


def _downloads(
    shown: View, current: Current, image: np.ndarray, keypoints: np.ndarray | None, position: int
) -> None:
    schema, predicted = current.dataset.schema, current.predicted
    guess = None if predicted is None else predicted.points[position]
    points = np.full((len(schema), 2), np.nan, np.float32) if keypoints is None else keypoints
    picture, link, hint = st.columns([1, 1, 3], vertical_alignment="center")
    picture.download_button(
        "PNG",
        lambda: annotated_png(
            image,
            schema,
            points,
            guess,
            points=POINTS in shown.show,
            edges=EDGES in shown.show,
            names=NAMES in shown.show,
            pixels=PIXELS in shown.show,
            mark_size=shown.mark_size,
        ),
        file_name=f"{current.dataset.name}-{shown.selection.part}-{shown.open}.png",
        mime="image/png",
        icon=":material/download:",
        type="tertiary",
        on_click="ignore",
    )
    with link.popover("Link", icon=":material/link:", type="tertiary"):
        st.caption("Opens this view again")
        st.code(_link(shown), language=None, wrap_lines=True)
    hint.caption("Scroll to zoom, drag to move, double-click to reset")


def _link(shown: View) -> str:
    from urllib.parse import urlencode, urlsplit

    base = urlsplit(st.context.url or "")
    query = {"dataset": st.session_state["dataset"], **shown.to_query()}
    return base._replace(query=urlencode(query)).geturl()


def _duplicates(shown: View, current: Current, position: int) -> None:
    """The images that show the same picture, training and test, most similar first."""
    dataset, m = current.dataset, current.measures
    n = len(dataset)
    me = position if shown.selection.part == "training" else n + position
    pair = np.flatnonzero((m.pair_a == me) | (m.pair_b == me))
    if not len(pair):
        return
    st.markdown("#### Duplicates of this picture")
    pair = pair[np.argsort(-m.pair_similarity[pair])][:24]
    faces = []
    for p in pair:
        other = int(m.pair_a[p] + m.pair_b[p] - me)
        kind = "exact" if m.pair_exact[p] else f"{m.pair_similarity[p]:.3f}"
        apart = m.pair_label_distance[p]
        note = kind if np.isnan(apart) else f"{kind}, {apart:.1f} px apart"
        if other < n:
            row = str(dataset.rows[other])
            points = dataset.keypoints[other]
            marks = None if current.predicted is None else current.predicted.points[other]
            faces.append(Face(f"training:{row}", row, dataset.images[other], points, note, marks))
        else:
            image_id = str(dataset.test_image_ids[other - n])
            image = dataset.test_images[other - n]
            faces.append(Face(f"test:{image_id}", f"test {image_id}", image, note=note))

    def opened(chosen: str) -> None:
        part, _, number = chosen.partition(":")
        selection = shown.selection.of_part(part)  # type: ignore[arg-type]
        view.answer(shown, replace(shown.with_selection(selection), open=int(number)))

    face_grid(faces, dataset.schema, "b-twins", opened, face_px=130, show=shown.show)
