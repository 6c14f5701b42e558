"""What a model says of the faces in view, where nobody has asked it about all of them: those few
are predicted at once, in the background, and kept for as long as the server runs."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from dashboard.current import Current
from dashboard.datasets import strip
from dashboard.guard import safely
from dashboard.prediction.models import MODELS
from dashboard.tasks import Task, start_alone
from dashboard.words import plain
from fkd.dataset import Dataset
from fkd.errors import UserError
from fkd.evaluation.images import Predicted
from fkd.evaluation.predictions import Predictions
from fkd.models.sources import TrainedModel, model_title
from fkd.progress import Progress

_MOST = 20_000
"""Images kept, of all models together."""
_POLL_S = 0.02
_TASK = "browse-asking"

_Key = tuple[str, str, str]


class _Kept:
    """Outputs ``(K, 2 or 3)`` by model, dataset and row; for all threads of this server."""

    def __init__(self) -> None:
        self._outputs: dict[tuple[_Key, int], NDArray[np.float32]] = {}
        self._learned: dict[_Key, NDArray[np.int64] | None] = {}
        self._lock = threading.Lock()

    def put(
        self,
        key: _Key,
        rows: NDArray[np.int64],
        output: NDArray[np.float32],
        learned: NDArray[np.int64] | None,
    ) -> None:
        with self._lock:
            self._learned[key] = learned
            for row, one in zip(rows.tolist(), output, strict=True):
                self._outputs[key, row] = one
            while len(self._outputs) > _MOST:
                self._outputs.pop(next(iter(self._outputs)))

    def missing(self, key: _Key, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        """``(n,)`` which of ``rows`` the model has not been asked about."""
        with self._lock:
            return np.array([(key, row) not in self._outputs for row in rows.tolist()], bool)

    def of(self, key: _Key, rows: NDArray[np.int64], model: str) -> Predictions | None:
        """What there is of ``rows``; None if nothing is."""
        with self._lock:
            there = [row for row in rows.tolist() if (key, row) in self._outputs]
            if not there:
                return None
            output = np.stack([self._outputs[key, row] for row in there])
            learned = self._learned[key]
        return Predictions.of_output(model, np.array(there, np.int64), output, learned)


_KEPT = _Kept()


def _key(model: TrainedModel, dataset: Dataset) -> _Key:
    return model.name, model.stamp, dataset.content_hash


@dataclass(frozen=True)
class Asking:
    """Asking ``model`` about the images ``rows`` of ``dataset``."""

    key: _Key
    rows: tuple[int, ...]
    model: TrainedModel = field(compare=False)
    dataset: Dataset = field(compare=False)

    def __call__(self, progress: Progress) -> str:
        loading = MODELS.load(self.model)
        while not loading.ready.done():
            progress(loading.stage, 0, 0)
            time.sleep(_POLL_S)
        pipeline, dataset = loading.ready.result(), self.dataset
        if pipeline.schema != dataset.schema:
            raise UserError(
                f"Model '{self.model.name}' has the keypoints of {pipeline.schema.name}; dataset "
                f"'{dataset.name}' has those of {dataset.schema.name}."
            )
        progress("predicting", 0, 0)
        rows = np.array(self.rows, np.int64)
        at = np.searchsorted(dataset.rows, rows)
        output = pipeline.predict(np.asarray(dataset.images[at]))
        _KEPT.put(self.key, rows, output, pipeline.reference.learned)
        return "are predicted"


def with_page_predicted(model: TrainedModel, current: Current, positions: Sequence[int]) -> Current:
    """``current`` with what ``model`` says of the images at ``positions``. Where it was not asked
    about some, it is now: how far that is, or why it failed, is shown, and the page is drawn anew
    when it is done."""
    dataset, key = current.dataset, _key(model, current.dataset)
    at = np.asarray(positions, np.intp)
    rows = dataset.rows[at]
    unknown = _unknown(current.predicted, at)
    wanted = rows[unknown][_KEPT.missing(key, rows[unknown])]
    if len(wanted):
        _ask(Asking(key, tuple(wanted.tolist()), model, dataset))
    found = _KEPT.of(key, rows[unknown], model.name)
    if found is None:
        return current
    now = Predicted.of(found, model, dataset)
    return replace(current, predicted=now if current.predicted is None else _both(current, now))


def _unknown(predicted: Predicted | None, at: NDArray[np.intp]) -> NDArray[np.bool_]:
    if predicted is None:
        return np.ones(len(at), bool)
    # Points that the model never learned have no place, on no image.
    return np.asarray(~np.isfinite(predicted.points[at]).any(axis=(1, 2)))


def _both(current: Current, now: Predicted) -> Predicted:
    """What is stored, and what was asked just now besides."""
    stored = current.predicted
    assert stored is not None
    new = np.isfinite(now.points).any(axis=(1, 2))
    expected = stored.expected
    if expected is not None and now.expected is not None:
        expected = np.where(new[:, None], now.expected, expected)
    return replace(
        stored,
        points=np.where(new[:, None, None], now.points, stored.points),
        expected=expected,
        error=np.where(new, now.error, stored.error),
    )


def _ask(work: Asking) -> None:
    task: Task | None = st.session_state.get(_TASK)
    if task is None or task.work != work:
        task = _begin(work)
    if task.state == "running":
        strip.wait_for(task)
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        if task.state == "failed":
            st.error(plain(task.message), icon=":material/error:")
        else:
            st.caption("The faces shown were not predicted: it was stopped.", width="content")
        st.button("Try again", key="b-ask", on_click=safely(task.label, _begin, work))


def _begin(work: Asking) -> Task:
    n = len(work.rows)
    what = f"the {n} faces shown" if n > 1 else "this face"
    task = start_alone(f"{model_title(work.model.name)} predicts {what}", "Predictions", work)
    st.session_state[_TASK] = task
    return task
