"""Which labels are the truth that models are scored against."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard import loaders
from dashboard.current import Current
from dashboard.evaluation.view import View, linked
from fkd.dataset import Dataset
from fkd.errors import UserError
from fkd.labels.at import LATEST, ORIGINAL, corrected, version_called
from fkd.labels.store import LabelStore

_NEWEST = 30
"""Versions that are offered besides those that runs have learned from; a link may name any."""


def existing(shown: View, current: Current) -> View:
    """The view as it can be shown: with labels that there are."""
    ingested = loaders.ingested(current.dataset.name)
    try:
        version_called(shown.labels, ingested)
    except UserError:
        st.warning(
            f"The labels of this dataset have no version {shown.labels}. The latest are used.",
            icon=":material/search_off:",
        )
        return replace(shown, labels=LATEST)
    return shown


def choice(row: DeltaGenerator, shown: View, current: Current, learned: Iterable[int]) -> None:
    """The control, in ``row``; none as long as nothing was corrected. ``learned`` are versions
    that the models have learned from."""
    latest = LabelStore(loaders.ingested(current.dataset.name)).head()
    if not latest:
        return
    asked = {int(shown.labels)} if shown.labels.isdigit() else set()
    newest = range(max(1, latest - _NEWEST + 1), latest + 1)
    numbers = {n for n in (*newest, *learned, *asked) if 0 < n <= latest}
    words = {LATEST: f"latest (version {latest})", ORIGINAL: "as ingested"}
    words |= {str(n): f"version {n}" for n in sorted(numbers, reverse=True)}
    row.selectbox(
        "Labels",
        list(words),
        format_func=words.get,
        width=200,
        help="The version of the labels that all models are scored against. Browse always shows "
        "the latest.",
        **linked(shown, "labels", page=1),
    )


def scored_against(current: Current, word: str) -> Current:
    """``current`` with the labels that ``word`` names (see ``version_called``)."""
    ingested = loaders.ingested(current.dataset.name)
    number = version_called(word, ingested)
    if word == LATEST or number == LabelStore(ingested).head():
        return current
    dataset = _at(ingested.name, ingested.content_hash, number, ingested)
    measures = loaders.measures(dataset)
    return current if measures is None else replace(current, dataset=dataset, measures=measures)


@st.cache_resource(show_spinner=False, max_entries=4)
def _at(name: str, content_hash: str, version: int, _dataset: Dataset) -> Dataset:
    return corrected(_dataset, version)


def is_latest(current: Current) -> bool:
    """Whether the labels are those that other pages show."""
    return current.dataset.labels_key == loaders.dataset(current.dataset.name).labels_key


def in_words(current: Current) -> str:
    """What the models are scored against, as a sentence; empty as long as nothing was corrected."""
    if current.dataset.labels:
        return f"Scored against version {current.dataset.labels} of the labels."
    return "" if is_latest(current) else "Scored against the labels as ingested."
