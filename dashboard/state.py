"""What holds across pages and in links: the current dataset."""

from __future__ import annotations

import streamlit as st

from dashboard import loaders
from dashboard.browse.view import leave_image
from dashboard.words import compact
from fkd.errors import UserError
from fkd.housekeeping import tidy_daily
from fkd.labels.database import StoreError
from fkd.labels.store import LabelStore
from fkd.registry import dataset_names

_KEY = "dataset"
"""In the session and in the link."""
_PICKED, _NEXT, _NOTE = "dataset-picker", "dataset-next", "dataset-note"


def dataset_picker() -> None:
    """The dataset picker in the sidebar. The choice holds on every page and stands in the link."""
    tidy_daily()  # every page comes by here
    names = dataset_names()
    with st.sidebar:
        if not names:
            st.session_state.pop(_KEY, None)
            st.caption("No dataset yet")
            return
        name = _choose(names)
        st.session_state[_PICKED] = name
        st.selectbox(
            "Dataset",
            names,
            required=True,
            key=_PICKED,
            on_change=_pick,
            label_visibility="collapsed",
        )
        st.session_state[_KEY] = name
        if st.query_params.get(_KEY) != name:
            st.query_params[_KEY] = name
        _sidebar_note(name)
    if note := st.session_state.pop(_NOTE, None):
        st.warning(note, icon=":material/search_off:")


def _sidebar_note(name: str) -> None:
    try:
        about = loaders.manifest(name)
        of = loaders.ingested(name)
    except UserError:
        st.caption("This dataset is damaged; see the Data page.")
        return
    try:
        version = LabelStore(of).head()
    except StoreError:
        version = 0  # whatever needs the labels says what is wrong with them
    labelled = "labelled" if any(about["present"].values()) else "unlabelled"
    st.caption(
        f"{compact(about['rows'])} {labelled} images, {compact(about['test_rows'])} test images"
        + (f", label version {version}" if version else ""),
        help="Left and right are the subject's, not the viewer's: the left eye is on the "
        "right of the picture.",
    )


def _pick() -> None:
    leave_image()
    open_next(st.session_state[_PICKED])


def _choose(names: list[str]) -> str:
    """What was just chosen, else what the link says, else what was open before."""
    chosen = st.session_state.pop(_NEXT, None)
    if chosen in names:
        return str(chosen)
    asked = st.query_params.get(_KEY)
    if asked in names:
        return str(asked)
    before = st.session_state.get(_KEY)
    name = str(before) if before in names else _default(names)
    if asked is not None:
        leave_image()
        # Data is not Markdown: what a link says is shown as code.
        st.session_state[_NOTE] = (
            f"There is no dataset `{asked.replace('`', '')[:64]}`. Showing `{name}` instead."
        )
    return name


def _default(names: list[str]) -> str:
    """The dataset ingested last that is not damaged, other than the demo where there is a
    choice."""
    # The demo last: it is there to look around in.
    newest = sorted(names, key=lambda n: (n != "demo", loaders.changed(n)), reverse=True)
    return next((name for name in newest if _sound(name)), newest[0])


def _sound(name: str) -> bool:
    try:
        loaders.ingested(name)
    except UserError:
        return False
    return True


def open_next(name: str) -> None:
    """Make ``name`` the current dataset from the next run on (also from callbacks)."""
    st.session_state[_NEXT] = name


def current_name() -> str | None:
    """Name of the current dataset; None if there is none."""
    name = st.session_state.get(_KEY)
    return name if name in dataset_names() else None
