"""Which model predicts, and how."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from dashboard.prediction import view
from dashboard.prediction.models import MODELS
from dashboard.prediction.view import View
from dashboard.prediction.work import Job
from dashboard.words import plain
from fkd.models.sources import model_title, trained_models


def controls(shown: View) -> Job:
    """The model and its options; it is loaded from now on, so that it is ready for the first
    photo."""
    known = {model.name: model for model in trained_models()}
    if not known:
        st.info(
            "There is no model yet. Train one on the Train page.", icon=":material/model_training:"
        )
        st.stop()
    if shown.model not in known:
        st.warning(
            plain(f"There is no model {shown.model}; it may have been deleted."),
            icon=":material/search_off:",
        )
        shown = replace(shown, model=next(iter(known)))
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        st.selectbox(
            "Model",
            list(known),
            format_func=model_title,
            width=320,
            **view.linked(shown, "model"),
        )
        st.toggle(
            "Average with the mirror image",
            help="Each face is also predicted mirrored. The mean of both predictions is slightly "
            "more accurate than the first alone.",
            **view.linked(shown, "mirrored"),
        )
    job = Job(known[shown.model], shown.mirrored)
    MODELS.load(job.model)
    return job
