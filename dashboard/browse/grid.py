"""The grid of Browse: one page of the selected faces."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import streamlit as st

from dashboard import loaders, routes
from dashboard.browse import models, view
from dashboard.browse.view import View
from dashboard.current import Current
from dashboard.face_grid import Face, face_grid
from dashboard.links import pager
from dashboard.words import compact, count_share
from fkd.columns import QUANTITIES, ROW

_FACE_PX = {24: 190, 48: 128, 96: 104, 192: 84}
"""CSS px of a face by page size: few faces, larger."""


def show_grid(shown: View, current: Current) -> None:
    """Draw the page of faces that ``shown`` asks for, with its pager."""
    dataset, selection = current.dataset, shown.selection
    if not models.offer(shown, current):
        return
    found = loaders.positions(dataset, current.measures, selection, current.predicted)
    total = len(dataset) if selection.part == "training" else len(dataset.test_images)
    _headline(shown, current, len(found), total)
    if not len(found):
        st.info("No image fits all of these filters.", icon=":material/filter_alt_off:")
        return
    pages = -(-len(found) // shown.per_page)
    page = min(shown.page, pages)
    first = (page - 1) * shown.per_page
    last = view.last_open(shown)
    face_grid(
        [face(current, shown, int(p)) for p in found[first : first + shown.per_page]],
        dataset.schema,
        "b-grid",
        lambda chosen: view.answer(shown, replace(shown, open=int(chosen))),
        face_px=_FACE_PX[shown.per_page],
        show=shown.show,
        mark_size=shown.mark_size,
        page=page,
        focus=None if last is None else str(last),
    )
    loaders.release(dataset)
    if pages > 1:
        _pager(shown, current, page, pages)


def _headline(shown: View, current: Current, found: int, total: int) -> None:
    words = shown.selection.describe(current.dataset.schema)
    row = st.container(horizontal=True, vertical_alignment="center", gap="small")
    if shown.selection.filtered:
        share = count_share(found, total)
        row.markdown(f"**{share}** of {compact(total)} images: {words}", width="stretch")
        row.button(
            "Clear filters",
            icon=":material/filter_alt_off:",
            type="tertiary",
            on_click=lambda: view.answer(shown, shown.with_selection(shown.selection.unfiltered())),
        )
    else:
        row.markdown(f"**{compact(total)}** {shown.selection.part} images", width="stretch")
    if (
        found
        and shown.selection.part == "training"
        and row.button(
            "Correct these",
            icon=":material/edit_location_alt:",
            type="tertiary",
            shortcut="E",
            help="Put the labels of these images right, in this order",
        )
    ):
        routes.correct_selected(shown.selection, current.dataset.name)


def _pager(shown: View, current: Current, page: int, pages: int) -> None:
    def turn(by: int) -> None:
        now = view.latest(current.dataset.schema)
        if now.open is not None:
            return  # a key that comes just after a click has opened a face
        view.write(replace(now, page=min(max(min(now.page, pages) + by, 1), pages)))

    back, middle, forth = st.columns([1, 4, 1], vertical_alignment="center")
    back.button(
        "Previous page",
        shortcut="Left",
        disabled=page == 1,
        on_click=turn,
        args=(-1,),
        width="stretch",
    )
    with middle:
        pager(pages, page, "b-page", lambda to: view.answer(shown, replace(shown, page=to)))
    forth.button(
        "Next page",
        shortcut="Right",
        disabled=page == pages,
        on_click=turn,
        args=(1,),
        width="stretch",
    )


def face(current: Current, shown: View, position: int) -> Face:
    """The face at ``position`` of the part shown, captioned with its number and sort value."""
    dataset, sort, predicted = current.dataset, shown.selection.sort, current.predicted
    note = ""
    if sort != ROW:
        values = QUANTITIES[sort].read(shown.selection.part, current.measures, predicted)
        if values is not None and not np.isnan(value := values[position]):
            note = f"{value:.{QUANTITIES[sort].digits}f}"
    if shown.selection.part == "test":
        image_id = str(dataset.test_image_ids[position])
        return Face(image_id, image_id, dataset.test_images[position], note=note)
    row = str(dataset.rows[position])
    marks = None if predicted is None else predicted.points[position]
    ingested = loaders.ingested(dataset.name).keypoints[position] if dataset.labels else None
    return Face(
        row, row, dataset.images[position], dataset.keypoints[position], note, marks, ingested
    )
