"""The view of Browse as it stands in the link: what is selected, how it is shown, what is open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from dashboard import loaders
from dashboard.face_grid import POINTS, TOGGLES
from fkd.keypoints import KeypointSchema
from fkd.selection import QUERY_KEYS, Selection

if TYPE_CHECKING:
    from dashboard.current import Current

PAGE_SIZES = (24, 48, 96, 192)
MARK_SIZES = (0.8, 1.1, 1.4, 1.8, 2.4)
"""Radius of a dot in image px."""


@dataclass(frozen=True)
class View:
    """Everything that a link to Browse fixes, apart from the dataset.

    Attributes:
        selection: which images, in which order.
        page: page of the grid, from 1.
        per_page: faces on a page.
        show: keys of ``TOGGLES`` that are on.
        mark_size: radius of a dot in image px.
        open: the image shown large: a source row, or an image id for test images; None = the grid.
    """

    selection: Selection = field(default_factory=Selection)
    page: int = 1
    per_page: int = 48
    show: tuple[str, ...] = (POINTS,)
    mark_size: float = 1.4
    open: int | None = None

    def to_query(self) -> dict[str, str]:
        """As query parameters, defaults left out."""
        default = View()
        query = self.selection.to_query()
        if self.page != default.page:
            query["page"] = str(self.page)
        if self.per_page != default.per_page:
            query["per_page"] = str(self.per_page)
        if self.show != default.show:
            query["show"] = ",".join(self.show) or "none"
        if self.mark_size != default.mark_size:
            query["size"] = f"{self.mark_size:g}"
        if self.open is not None:
            query["image"] = str(self.open)
        return query

    @classmethod
    def from_query(cls, query: Mapping[str, str], schema: KeypointSchema) -> View:
        """Read a link; what makes no sense falls back to the default."""
        default = cls()
        per_page = _integer(query.get("per_page"), default.per_page)
        shown = query["show"].split(",") if "show" in query else default.show
        size = next((s for s in MARK_SIZES if f"{s:g}" == query.get("size")), default.mark_size)
        return cls(
            selection=Selection.from_query(query, schema),
            page=max(1, _integer(query.get("page"), 1) or 1),
            per_page=per_page if per_page in PAGE_SIZES else default.per_page,
            show=tuple(key for key in TOGGLES if key in shown),
            mark_size=size,
            open=_integer(query.get("image"), None),
        )

    def found(self, current: Current) -> NDArray[np.intp]:
        """Positions of the images that are shown, in order. What asks for measures is left out
        until they are there."""
        selection = self.selection
        if not current.measured:
            selection = selection.without_measures()
        return loaders.positions(current.dataset, current.measures, selection, current.predicted)

    def with_selection(self, selection: Selection) -> View:
        """Another selection begins on its first page."""
        return self if selection == self.selection else replace(self, selection=selection, page=1)


def _integer(text: str | None, default: int | None) -> int | None:
    # int() takes underscores and other scripts' digits; links hold plain ones only.
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 12 else default


_REMEMBERED, _LAST_OPEN = "browse_view", "browse_last_open"
_ALL_KEYS = (*QUERY_KEYS, "page", "per_page", "show", "size", "image")


def enter(schema: KeypointSchema) -> View:
    """The view to show now: what the link asks for; without a link, what was last looked at."""
    asked = any(key in st.query_params for key in _ALL_KEYS)
    known = st.query_params if asked else st.session_state.get(_REMEMBERED, {})
    view = View.from_query(known, schema)
    st.session_state[_REMEMBERED] = view.to_query()
    return view


def write(view: View) -> None:
    """Put ``view`` into the address bar and remember it for when the user comes back."""
    wanted = view.to_query()
    st.session_state[_REMEMBERED] = wanted
    others = {k: v for k, v in st.query_params.to_dict().items() if k not in _ALL_KEYS}
    # In one go: each change by itself would be a step of the browser's Back.
    if st.query_params.to_dict() != others | wanted:
        st.query_params.from_dict(others | wanted)


def answer(shown: View, wanted: View) -> None:
    """Write ``wanted``, as a widget that was drawn with ``shown`` asks. While a face opens or
    closes, widgets of the page before are in the browser still; a key pressed then makes them all
    report themselves once more, which nobody has asked for."""
    face_is_open = "image" in st.session_state.get(_REMEMBERED, {})
    if face_is_open == (shown.open is not None):
        write(wanted)


def latest(schema: KeypointSchema) -> View:
    """The view as last written, for callbacks: keys come faster than pages are drawn, so what a
    button was drawn with may be behind."""
    return View.from_query(st.session_state.get(_REMEMBERED, {}), schema)


def note_open(view: View) -> None:
    """Remember which face is shown large, for the grid that comes after it."""
    st.session_state[_LAST_OPEN] = (view.selection.part, view.open)


def last_open(view: View) -> int | None:
    """The face that was shown large just before this grid; told once."""
    part, number = st.session_state.pop(_LAST_OPEN, (None, None))
    return number if part == view.selection.part else None


def leave_image() -> None:
    """Forget which image and page were looked at: another dataset has others."""
    st.session_state.pop(_LAST_OPEN, None)
    for key in ("image", "page"):
        st.query_params.pop(key, None)
        st.session_state.get(_REMEMBERED, {}).pop(key, None)
