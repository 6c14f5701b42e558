"""What holds across pages and in links: the current dataset."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from dashboard import loaders, routes
from dashboard.words import compact
from fkd.dataset import Dataset
from fkd.errors import UserError
from fkd.measures import Measures
from fkd.registry import dataset_names

_KEY = "dataset"


def dataset_picker() -> None:
    """The dataset picker in the sidebar; its choice stands in the link as ``dataset``."""
    names = dataset_names()
    with st.sidebar:
        if not names:
            st.caption("No dataset yet")
            return
        wanted = st.session_state.pop("dataset_to_open", None)
        if wanted in names:
            st.session_state[_KEY] = wanted
        elif st.session_state.get(_KEY, names[0]) not in names:
            del st.session_state[_KEY]
        # Without a default the choice always stands in the link, so the link means the same
        # dataset on every machine.
        if _KEY not in st.session_state and _KEY not in st.query_params:
            st.session_state[_KEY] = _default(names)
        st.selectbox(
            "Dataset",
            names,
            index=None,
            required=True,
            key=_KEY,
            bind="query-params",
            label_visibility="collapsed",
            placeholder="Choose a dataset",
        )
        if st.session_state[_KEY] is None:
            asked = st.query_params.get(_KEY)
            st.caption(f"There is no dataset of that name ({asked})" if asked else "Choose one")
            return
        try:
            about = loaders.manifest(st.session_state[_KEY])
        except UserError:
            return  # the page says what is wrong with it
        st.caption(
            f"{compact(about['rows'])} labelled, {compact(about['test_rows'])} test images",
            help="Left and right are the subject's, not the viewer's: the left eye is on the "
            "right of the picture.",
        )


def _default(names: list[str]) -> str:
    """The dataset ingested last, other than the demo where there is a choice."""
    real = [n for n in names if n != "demo"] or names
    return max(real, key=loaders.changed)


def open_next(name: str) -> None:
    """Make ``name`` the current dataset from the next run on (also from callbacks)."""
    st.session_state["dataset_to_open"] = name


@dataclass(frozen=True)
class Current:
    """The current dataset and its measures."""

    dataset: Dataset
    measures: Measures


def current_name() -> str | None:
    """Name of the current dataset; None if there is none."""
    name = st.session_state.get(_KEY)
    return name if name in dataset_names() else None


def require_current() -> Current:
    """The current dataset; without one, say what to do next and end the page."""
    name = current_name()
    if name is None:
        st.info(
            "No dataset is open. Draw the demo faces or bring Kaggle's files on the Data page.",
            icon=":material/database:",
        )
        st.page_link(routes.DATA, label="Go to Data", icon=":material/arrow_forward:")
        st.stop()
    dataset = loaders.dataset(name)
    return Current(dataset, loaders.measures(dataset))
