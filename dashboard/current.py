"""The current dataset with its measures: what the pages that look at images begin with."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from dashboard import loaders, routes
from dashboard.datasets import strip
from dashboard.datasets.cards import damaged
from dashboard.datasets.jobs import Measuring, start_measuring
from dashboard.guard import safely
from dashboard.state import current_name
from dashboard.tasks import Task, tasks
from dashboard.words import plain
from fkd.dataset import Dataset
from fkd.errors import UserError
from fkd.evaluation.images import Predicted
from fkd.labels.database import StoreError
from fkd.measures import Measures, Provisional


@dataclass(frozen=True)
class Current:
    """The current dataset and its measures; ``predicted`` is what the model says whose predictions
    are shown, if any."""

    dataset: Dataset
    measures: Measures
    predicted: Predicted | None = None

    @property
    def measured(self) -> bool:
        """Whether ``measures`` are those of the images, not only what their labels tell."""
        return not isinstance(self.measures, Provisional)


def require_current() -> Current:
    """The current dataset; without one, say what to do next and end the page. One that has not
    been measured is measured first: the page shows how far that is and goes on by itself."""
    current = open_current()
    if not current.measured:
        if measuring(current.dataset):
            st.caption(f"{_MEASURED_ONCE} This page opens by itself when that is done.")
        st.stop()
    return current


def open_current() -> Current:
    """As ``require_current``, but one that has not been measured is given with what its labels
    tell."""
    name = current_name()
    if name is None:
        st.info(
            "No dataset is open. Draw the demo faces or bring Kaggle's files on the Data page.",
            icon=":material/database:",
        )
        st.page_link(routes.DATA, label="Go to Data", icon=":material/arrow_forward:")
        st.stop()
    try:
        loaders.ingested(name)
    except UserError as error:
        damaged(name, error)
        st.stop()
    try:
        dataset = loaders.dataset(name)
    except StoreError as error:
        no_labels(error)
        st.stop()
    return Current(dataset, loaders.measures(dataset) or loaders.provisional(dataset))


def no_labels(error: StoreError) -> None:
    """Say that the labels cannot be read now, with a way to try again."""
    st.error(plain(str(error)), icon=":material/cloud_off:")
    st.caption("What you have edited and not saved yet is kept here, as long as this tab is open.")
    st.button("Try again", icon=":material/refresh:", key="labels-again")


_MEASURED_ONCE = "Outlier scores, duplicates and image quality are measured once for each dataset."


def measuring(dataset: Dataset) -> bool:
    """Measure ``dataset`` in the background: how far that is, with a way to stop it, or, where it
    was stopped or failed, a way to do it again. Returns whether it goes on. The page is drawn anew
    when it ends."""
    last = tasks().latest(dataset.name)
    if last is None or not _gave_up(last):
        strip.wait_for(start_measuring(dataset))
        return True
    with st.container(horizontal=True, vertical_alignment="center"):
        if last.state == "failed":
            st.error(plain(f"{last.label}: {last.message}"), icon=":material/error:")
        else:
            st.info(
                f"Measuring {plain(dataset.name)} was stopped. {_MEASURED_ONCE}",
                icon=":material/stop_circle:",
            )
        st.button(
            "Measure again",
            on_click=safely(f"measuring {dataset.name}", start_measuring, dataset),
        )
    return False


def _gave_up(last: Task) -> bool:
    """Whether the last task on an unmeasured dataset was to measure it and was stopped or failed:
    then it waits to be asked. An ingest goes on to measure; stopped in that, it is done all the
    same."""
    if isinstance(last.work, Measuring):
        return last.state in {"stopped", "failed"}
    return last.state == "done" and last.stop.is_set()
