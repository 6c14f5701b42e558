"""The way from one page to another, with what the other page shall show."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlencode

import streamlit as st

from fkd.selection import Selection

_PAGES = Path(__file__).resolve().parent.parent / "pages"
DATA = str(_PAGES / "data.py")
BROWSE = str(_PAGES / "browse.py")
TRAIN = str(_PAGES / "train.py")
EVALUATE = str(_PAGES / "evaluate.py")
CORRECT = str(_PAGES / "correct.py")


def browse(selection: Selection, image: int | None = None, dataset: str | None = None) -> None:
    """Leave for Browse with ``selection``, with ``image`` (a row or a test image id) open, of
    ``dataset`` or the current one."""
    query = selection.to_query()
    if image is not None:
        query["image"] = str(image)
    # Without any parameter of its own, Browse would bring back the last view instead. Otherwise
    # the query is just what Browse itself writes: a difference would be one more step back.
    query = query or {"page": "1"}
    st.switch_page(
        BROWSE, query_params={"dataset": dataset or st.session_state["dataset"], **query}
    )


def evaluate(model: str, other: str, dataset: str) -> None:
    """Leave for Evaluate with ``model``, beside ``other`` unless that is empty, on ``dataset``."""
    beside = {"with": other} if other else {}
    st.switch_page(EVALUATE, query_params={"dataset": dataset, "model": model, **beside})


def correct(row: int, dataset: str, queue: str = "all") -> None:
    """Leave for Correct with ``row`` of ``dataset`` on the canvas, in ``queue``."""
    query = {"dataset": dataset, "row": str(row), "queue": queue}
    st.switch_page(CORRECT, query_params=query)


def correct_selected(selection: Selection, dataset: str) -> None:
    """Leave for Correct with the first open image of ``selection`` on the canvas."""
    query = {"dataset": dataset, "queue": "browsed", "of": urlencode(selection.to_query())}
    st.switch_page(CORRECT, query_params={key: value for key, value in query.items() if value})
