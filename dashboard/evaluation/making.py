"""Predictions that are not there yet: offered, made by a process of their own, and awaited."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from dashboard.datasets import strip
from dashboard.guard import safely
from dashboard.tasks import Task, tasks
from dashboard.words import compact, plain
from fkd.child import run_verb
from fkd.dataset import Dataset
from fkd.models.sources import TrainedModel, model_phrase
from fkd.progress import Progress


@dataclass(frozen=True)
class Predicting:
    """Predicting all labelled images of a dataset; TensorFlow stays out of this process."""

    model: str
    dataset: str

    def __call__(self, progress: Progress) -> str:
        scored = ["evaluate", self.model, "--dataset", self.dataset, "--split", "all", "--json"]
        run_verb(scored, progress)
        return "are ready"


def _subject(model: TrainedModel, dataset: Dataset) -> str:
    return f"Predictions of {model_phrase(model.name)} for {dataset.name}"


def start_predicting(model: TrainedModel, dataset: Dataset) -> Task:
    """Predict with ``model``, unless a task is at that already: then that one."""
    subject = _subject(model, dataset)
    return tasks().ensure(subject, subject, Predicting(model.name, dataset.name))


def offer_predictions(model: TrainedModel, dataset: Dataset, why: str, *, primary: bool) -> None:
    """Say ``why`` predictions of ``model`` are wanted, with the button that makes them; while they
    are made, how far that is. The page is drawn anew when they are there."""
    last = tasks().latest(_subject(model, dataset))
    if last is not None and last.state == "running":
        strip.wait_for(last)
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        if last is not None and last.state == "failed":
            st.error(plain(last.message), icon=":material/error:")
        else:
            st.info(why, icon=":material/model_training:")
        again = last is not None and last.state in {"failed", "stopped"}
        st.button(
            "Try again" if again else f"Predict {compact(len(dataset))} images",
            key=f"predict-{model.name}",
            type="primary" if primary else "secondary",
            on_click=safely(f"predicting with {model.name}", start_predicting, model, dataset),
        )
