"""The model whose predictions Browse shows beside the truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import streamlit as st

from dashboard import predictions
from dashboard.browse.asking import with_page_predicted
from dashboard.browse.view import View
from dashboard.current import Current
from dashboard.evaluation.making import offer_predictions
from dashboard.words import compact, plain
from fkd.errors import UserError
from fkd.models.sources import TrainedModel, model_title, trained_model


def with_predictions(shown: View, current: Current) -> tuple[View, Current]:
    """``current`` with what the model of the view says; a model that is not there is taken out of
    the view, and that is said. Test images have no predictions."""
    model = _model(shown)
    if model is None:
        return shown, current
    if isinstance(model, UserError):
        st.warning(plain(str(model)), icon=":material/search_off:")
        return shown.with_selection(shown.selection.with_model("")), current
    return shown, replace(current, predicted=predictions.predicted(model, current.dataset))


def _model(shown: View) -> TrainedModel | UserError | None:
    name = shown.selection.model
    if not name or shown.selection.part == "test":
        return None
    try:
        return trained_model(name)
    except UserError as error:
        return error


def offer(shown: View, current: Current) -> bool:
    """Above a grid: offer the predictions that are missing. Returns whether the grid can be shown:
    not, where its filters or its order ask for what is not there at all."""
    model, found = _model(shown), current.predicted
    if not isinstance(model, TrainedModel) or (found and found.asked == len(current.dataset)):
        return True
    name, every = plain(model_title(model.name)), compact(len(current.dataset))
    if found is not None:
        why = (
            f"{name} has predicted {compact(found.asked)} of {every} images: its validation split."
        )
    elif shown.selection.asks_model:
        why = f"To sort or filter by its error, {name} has to predict all {every} images."
    else:
        why = f"{name} predicts the faces in view. All are needed to sort or filter by its error."
    offer_predictions(model, current.dataset, why, primary=False)
    return found is not None or not shown.selection.asks_model


def with_view_predicted(shown: View, current: Current, positions: Sequence[int]) -> Current:
    """``current`` with what the model of the view says of the images at ``positions``, which are
    in view."""
    model = _model(shown)
    if not isinstance(model, TrainedModel):
        return current
    return with_page_predicted(model, current, positions)


def tell_one(shown: View, current: Current, position: int) -> None:
    """Beside one face: how far off the model is."""
    model, found = _model(shown), current.predicted
    # Points that the model never learned have no place, on no image.
    if (
        not isinstance(model, TrainedModel)
        or found is None
        or not np.isfinite(found.points[position]).any()
    ):
        return
    name, error = plain(model_title(model.name)), found.error[position]
    held = " This image is in its validation split." if found.held_back[position] else ""
    if np.isnan(error):
        st.caption(f"**{name}**: no label to compare with here.{held}")
    else:
        st.caption(f"**{name}**: {error:.2f} px mean error on this image.{held}")
