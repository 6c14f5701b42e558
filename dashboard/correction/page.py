"""The Correct page put together: the queue, the canvas, the points and the keys."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import streamlit as st

from dashboard import predictions
from dashboard.correction import actions, bar, points, queues, todo, view
from dashboard.correction import look as looks
from dashboard.correction.canvas import canvas
from dashboard.correction.conflict import show_conflict
from dashboard.correction.desk import Desk, open_desk
from dashboard.correction.fixes import fixes, why
from dashboard.correction.log import image_log
from dashboard.correction.view import UNSEEN, View
from dashboard.current import Current, no_labels
from dashboard.evaluation.making import offer_predictions
from dashboard.guard import guard, tell_failures
from dashboard.words import plain
from fkd.errors import UserError
from fkd.labels.database import StoreError
from fkd.labels.reviews import reviews
from fkd.labels.store import LabelStore
from fkd.labels.suggestions import suggested
from fkd.models.sources import BUNDLED, TrainedModel, model_phrase, trained_model


@st.fragment
def correct(current: Current, author: str) -> None:
    """The page. A fragment: nothing else is drawn anew when a point moves."""
    with guard("page Correct"):
        # Each part has a place of its own, whether it says something or not: were the canvas moved
        # by what comes and goes above it, the browser would build it anew.
        with st.container():
            tell_failures()
        actions.show_note()
        try:
            _correct(current, view.enter(), author)
        except StoreError as error:
            no_labels(error)


def _correct(current: Current, shown: View, author: str) -> None:
    store = LabelStore(current.dataset)
    known = todo.known(current, store, shown.snapshot)
    shown, states = replace(shown, snapshot=known.id), reviews(store)
    top = st.container(horizontal=True, vertical_alignment="center", gap="small", key="correct-top")
    with top:
        title = st.container(width="stretch", key="correct-title")
        mine, queue = queues.chosen(store, shown, known, states)
        queues.controls(store, shown, known, states, author, queue)
        queues.news(current, store, shown, known)
    row = shown.row
    if row is None:
        row = bar.following(None, shown, queue, states, author) or queue.step(None, 1)
    if row is None:
        queues.nothing(shown, known)
        return
    position = current.dataset.position(row)
    if position is None:
        st.warning(
            f"Dataset {plain(current.dataset.name)} has no row {row}.", icon=":material/search_off:"
        )
        return
    shown = replace(shown, row=row)
    view.write(shown)
    desk = open_desk(store, row, author)
    missing = _take_predictions(desk, shown, known, current, position)
    suspect = queue.reasons.get(row)
    if desk.fresh:
        desk.look_at(suspect.keypoints if suspect is not None else ())
    with title:
        bar.title(desk, shown, queue, mine, states)
    with top:
        bar.ways_on(desk, shown, queue, states)
    look = looks.look()
    with bar.toolbar(desk, shown, queue, known, states):
        looks.controls()
        fixes(desk, known, position)
    with st.container():
        show_conflict(desk)
        if missing is not None:
            name = model_phrase(missing.name)
            name = plain(name[:1].upper() + name[1:])
            note = f"{name} suggests points and checks the labels once it has predicted."
            offer_predictions(missing, current.dataset, note, primary=False)
    with st.container(horizontal=True, gap="small", key="correct-work"):
        left = st.container(width="content", gap=None)
        right = st.container(width="stretch", gap="xsmall", key="correct-side")
    with right:
        why(desk, suspect)
        points.point_actions(desk)
        points.point_list(desk)
    with left:
        canvas(desk, look, bar.KEYS, position)
    image_log(desk)


def _take_predictions(
    desk: Desk, shown: View, known: todo.Known, current: Current, position: int
) -> TrainedModel | None:
    """Give the desk what the chosen model says of the image. Returns the model that would have to
    be asked first."""
    desk.predicted, desk.source = None, ""
    if shown.model == UNSEEN:
        said, source = todo.prediction(known, position)
        if np.isfinite(said).any():
            desk.predicted, desk.source = said, source
            return None
        if (handed := suggested(desk.store, desk.sheet.row)) is not None:
            desk.predicted, desk.source = handed
            return None
    try:
        model = trained_model(shown.model or BUNDLED)
    except UserError:
        return None
    found = predictions.predicted(model, current.dataset)
    if found is None or not np.isfinite(found.points[position]).any():
        return model
    desk.predicted, desk.source = found.points[position], model.name
    return None
