"""The grid of Browse: one page of the selected faces."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import streamlit as st

from dashboard import loaders, routes
from dashboard.browse import chosen, models, said, view
from dashboard.browse.view import View
from dashboard.current import Current
from dashboard.face_grid import Face, face_grid
from dashboard.links import pager
from dashboard.words import compact, count_share, plain
from fkd.columns import QUANTITIES, ROW
from fkd.labels.tags import EXCLUDED, Tags
from fkd.selection import kind_of

_FACE_PX = {24: 190, 48: 128, 96: 104, 192: 84}
"""CSS px of a face by page size: few faces, larger."""


def show_grid(shown: View, current: Current) -> None:
    """Draw the page of faces that ``shown`` asks for, with its pager."""
    dataset, selection = current.dataset, shown.selection
    training = selection.part == "training"
    if not models.offer(shown, current):
        return
    found = shown.found(current)
    _headline(shown, current, len(found), len(dataset) if training else len(dataset.test_images))
    said.tell()
    if not len(found):
        st.info("No image fits these filters. Remove one above.", icon=":material/filter_alt_off:")
        return
    if training:
        chosen.bar(shown, current, found)
    pages = -(-len(found) // shown.per_page)
    page = min(shown.page, pages)
    first = (page - 1) * shown.per_page
    last = view.last_open(shown)
    here = found[first : first + shown.per_page]
    current = models.with_view_predicted(shown, current, here)
    tags = loaders.tags(dataset) if training else Tags()
    face_grid(
        [face(current, shown, int(p), tags) for p in here],
        dataset.schema,
        "b-grid",
        lambda chosen: view.answer(shown, replace(shown, open=int(chosen))),
        face_px=_FACE_PX[shown.per_page],
        show=shown.show,
        mark_size=shown.mark_size,
        page=page,
        focus=None if last is None else str(last),
        choosing=chosen.choosing(dataset, dataset.rows[here]) if training else None,
    )
    loaders.release(dataset)
    if pages > 1:
        _pager(shown, current, page, pages)


def _headline(shown: View, current: Current, found: int, total: int) -> None:
    row = st.container(horizontal=True, vertical_alignment="center", gap="small")
    with row:
        if shown.selection.filtered:
            share = count_share(found, total)
            st.markdown(f"**{share}** of {compact(total)} images:", width="content")
            _filters(shown, current)
        else:
            st.markdown(f"**{compact(total)}** {shown.selection.part} images", width="content")
        st.space("stretch")
    if (
        found
        and shown.selection.part == "training"
        and row.button(
            "Correct this image" if found == 1 else f"Correct all {compact(found)}",
            key="b-correct",
            icon=":material/edit_location_alt:",
            type="tertiary",
            shortcut="E",
            help="Correct the labels of these images, in this order",
        )
    ):
        routes.correct_selected(shown.selection, current.dataset.name)


def _filters(shown: View, current: Current) -> None:
    """Each filter with a way to take it away; between them, how they are joined."""
    selection, schema = shown.selection, current.dataset.schema
    before = None
    for option in selection.options:
        if before is not None:
            joined = kind_of(option) == kind_of(before)
            st.markdown(f":gray[{'or' if joined else 'and'}]", width="content")
        st.button(
            plain(selection.words(option, schema, current.measures)),
            key=f"b-filter-{option}",
            icon=":material/close:",
            icon_position="right",
            help="Remove this filter",
            on_click=lambda option=option: view.answer(
                shown, shown.with_selection(selection.without_option(option))
            ),
        )
        before = option
    if len(selection.options) > 1:
        st.button(
            "Clear filters",
            type="tertiary",
            on_click=lambda: view.answer(shown, shown.with_selection(selection.unfiltered())),
        )
    if selection.asks_measures and not current.measured:
        st.caption("Filters and order that need measuring apply when it is done.", width="content")


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


def face(current: Current, shown: View, position: int, tags: Tags) -> Face:
    """The face at ``position`` of the part shown, captioned with its number, sort value and
    ``tags``."""
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
    words = tags.of(int(row))
    return Face(
        row,
        row,
        dataset.images[position],
        dataset.keypoints[position],
        note,
        marks,
        ingested,
        tags=chosen.tag_words(words),
        dimmed=EXCLUDED in words,
    )
