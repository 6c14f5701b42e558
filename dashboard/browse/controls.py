"""The controls above the grid of Browse. The link is the truth: every run sets the widgets from
it, every change of a widget is put into it before the next run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import streamlit as st

from dashboard import loaders
from dashboard.browse import saved, view
from dashboard.browse.view import MARK_SIZES, PAGE_SIZES, View
from dashboard.current import Current
from dashboard.face_grid import NAMES, TOGGLES
from dashboard.links import bound, one_of
from dashboard.words import compact
from fkd.columns import ERROR, FLAGS, QUANTITIES, ROW, Quantity
from fkd.models.sources import model_title, trained_models
from fkd.selection import Range

_PARTS = {"training": "Training", "test": "Test"}
_FAR = 1000.0
"""px that no error reaches: the upper end of a range without one."""


def _linked(
    shown: View, key: str, value: Any, change: Callable[[View, Any], View]
) -> dict[str, Any]:
    """Arguments that bind a widget to the view, of which it shows ``value``;
    ``change(view, value)`` gives the next view."""
    return bound(key, value, lambda wanted: view.answer(shown, change(shown, wanted)))


def controls(shown: View, current: Current) -> View:
    """Draw the controls; return the view as shown, parts that do not exist corrected."""
    selection = shown.selection
    if not len(current.dataset.test_images) and selection.part == "test":
        shown = shown.with_selection(selection.of_part("training"))
        selection = shown.selection

    row = st.container(horizontal=True, vertical_alignment="bottom", gap="small")
    if len(current.dataset.test_images):
        arguments = _linked(
            shown,
            "b-part",
            selection.part,
            lambda v, part: v.with_selection(v.selection.of_part(part)),
        )
        one_of(row.segmented_control, "Images", _PARTS, arguments)

    _filter_menu(row, shown, current)
    number = "row" if selection.part == "training" else "image id"
    sorts = [ROW, *(key for key, q in QUANTITIES.items() if _sortable(key, q, shown, current))]
    row.selectbox(
        "Sort by",
        sorts,
        format_func=lambda key: number if key == ROW else QUANTITIES[key].label,
        help="Outlier score: how rare the face's shape is. 3 means one face in a thousand.",
        width=150,
        **_linked(shown, "b-sort", selection.sort, _with_sort),
    )
    arrow, now = ("downward", "Descending") if selection.descending else ("upward", "Ascending")
    row.button(
        "",
        key="b-order",
        icon=f":material/arrow_{arrow}:",
        help=f"{now}; click to reverse",
        on_click=lambda: view.answer(
            shown,
            shown.with_selection(replace(selection, descending=not selection.descending)),
        ),
    )
    with row.popover("View", icon=":material/tune:"):
        # On small faces no name can be read; the pointer brings one up.
        mark_controls(shown, [key for key in TOGGLES if key != NAMES])
        if shown.selection.asks_model or current.predicted is not None:
            error_range(shown)
        st.segmented_control(
            "Faces on a page",
            PAGE_SIZES,
            required=True,
            **_linked(
                shown, "b-per-page", shown.per_page, lambda v, n: replace(v, per_page=n, page=1)
            ),
        )
    with row:
        saved.saved_menu(shown, current)
    go_to(row, shown, current)
    return shown


def _sortable(key: str, quantity: Quantity, shown: View, current: Current) -> bool:
    """Whether one can sort by it: what is not measured yet is offered later, but stays where the
    link asks for it."""
    known = quantity.known(shown.selection.part, shown.selection.model)
    return known and (current.measured or not quantity.measured or key == shown.selection.sort)


def _filter_menu(row: Any, shown: View, current: Current) -> None:
    """The menu that adds a filter: it closes after each choice, and says how many images each
    would leave."""
    selection, schema = shown.selection, current.dataset.schema
    counts = loaders.counts(current.dataset, current.measures, selection, current.predicted)
    offered = {
        option: count
        for option, count in counts.items()
        if option not in selection.options
        and (current.measured or option not in FLAGS or not FLAGS[option].measured)
    }

    def words(option: str) -> str:
        name = selection.words(option, schema, current.measures)
        return f"{name} ({compact(offered[option])})"

    row.selectbox(
        "Filter",
        list(offered),
        index=None,
        format_func=words,
        placeholder="Add a filter",
        help="Of one kind, such as missing points, any may hold; of different kinds, all must.",
        **_linked(
            shown,
            "b-filter",
            None,
            lambda v, option: v.with_selection(v.selection.with_option(option)) if option else v,
        ),
    )


def mark_controls(shown: View, offered: list[str]) -> None:
    """What of ``offered`` is drawn on faces, and how large; and whose predictions."""

    def with_show(v: View, keys: list[str]) -> View:
        kept = [key for key in v.show if key not in offered]
        return replace(v, show=tuple(key for key in TOGGLES if key in [*keys, *kept]))

    now = [key for key in shown.show if key in offered]
    st.pills(
        "Show",
        offered,
        format_func=TOGGLES.get,
        selection_mode="multi",
        **_linked(shown, "b-show", now, with_show),
    )
    st.select_slider(
        "Point size",
        MARK_SIZES,
        format_func=lambda size: f"{size:g} px",
        **_linked(shown, "b-size", shown.mark_size, lambda v, size: replace(v, mark_size=size)),
    )
    model_control(shown)


def model_control(shown: View) -> None:
    """Whose predictions are drawn beside the truth."""
    names = [model.name for model in trained_models()]
    if not names or shown.selection.part == "test":
        return
    st.selectbox(
        "Predictions",
        ["", *names],
        format_func=lambda name: model_title(name) if name else "none",
        help="Rings are predictions, dots are labels; a line joins the two. Sort by error (px) to "
        "see the worst first.",
        **_linked(
            shown,
            "b-model",
            shown.selection.model,
            lambda v, model: v.with_selection(v.selection.with_model(model)),
        ),
    )


def error_range(shown: View) -> None:
    """Bounds on the error of the model shown."""
    now = next((r for r in shown.selection.ranges if r.quantity == ERROR), None)
    ends = (None, None) if now is None else (now.low, now.high)
    columns = st.columns(2)
    for column, key, label, end in zip(
        columns, ("b-low", "b-high"), ("from", "to"), ends, strict=True
    ):
        st.session_state[key] = end
        column.number_input(
            f"Error {label}",
            min_value=0.0,
            step=0.5,
            placeholder="px",
            key=key,
            on_change=lambda: view.answer(shown, _with_error_range(shown)),
        )


def _with_error_range(v: View) -> View:
    low, high = st.session_state["b-low"], st.session_state["b-high"]
    others = tuple(r for r in v.selection.ranges if r.quantity != ERROR)
    if low is None and high is None:
        return v.with_selection(replace(v.selection, ranges=others))
    bound = Range(ERROR, low or 0.0, _FAR if high is None else high)
    return v.with_selection(replace(v.selection, ranges=(*others, bound)))


def go_to(box: Any, shown: View, current: Current) -> None:
    """A field that opens one image by its number."""
    word = "row" if shown.selection.part == "training" else "image id"
    box.number_input(
        f"Go to {word}",
        min_value=0,
        step=1,
        placeholder="number",
        width=150,
        **_linked(shown, "b-go", None, lambda v, n: replace(v, open=n)),
    )


def _with_sort(v: View, key: str) -> View:
    """A quantity begins with its largest values: that is what one sorts for."""
    return v.with_selection(replace(v.selection, sort=key, descending=key != ROW))
