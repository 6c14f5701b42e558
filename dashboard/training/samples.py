"""The fixed validation faces of a run, their points as predicted after each epoch."""

from __future__ import annotations

import numpy as np
import streamlit as st

from dashboard import loaders, routes
from dashboard.face_grid import POINTS, Face, face_grid
from dashboard.links import bound
from dashboard.training import view
from dashboard.training.listing import Listed
from dashboard.words import plain
from fkd.dataset import Dataset
from fkd.errors import UserError
from fkd.evaluation.metrics import rmse
from fkd.registry import dataset_names
from fkd.selection import Selection
from fkd.splits import positions

LATEST = "latest"


def faces(one: Listed) -> None:
    """Draw the faces at the epoch chosen, or say why there are none."""
    epochs = one.run.sample_epochs()
    if not epochs:
        return
    head, slider = st.columns([1.4, 1], vertical_alignment="center", gap="large")
    head.markdown("#### Validation faces")
    try:
        dataset = _dataset_of(one)
        epoch = _epoch(epochs, slider)
        predicted = one.run.samples(epoch)
        at = positions(dataset, one.run.sample_rows())
        if predicted.shape != (len(at), len(dataset.schema), 2):
            raise UserError(
                f"The predictions of epoch {epoch} are of shape {predicted.shape}, those of "
                f"{len(at)} faces were expected."
            )
    except UserError as error:
        st.caption(plain(f"The faces cannot be shown. {error}"))
        return
    head.caption(
        f"After epoch {epoch}: dots are the labels, rings the predictions, with the error in px "
        "of each face. These images are not trained on."
    )
    _grid(one, dataset, at, predicted)


def _dataset_of(one: Listed) -> Dataset:
    if one.config.dataset not in dataset_names():
        raise UserError(f"Dataset '{one.config.dataset}' is not there any more.")
    dataset = loaders.dataset(one.config.dataset)
    if dataset.content_hash != one.config.data_hash:
        raise UserError(f"Dataset '{dataset.name}' is not the one that this run was made for.")
    return dataset


def _epoch(epochs: list[int], place: st.delta_generator.DeltaGenerator) -> int:
    """The epoch to show: the latest, until another is chosen."""
    options = [*epochs, LATEST]
    asked = view.epoch()
    shown = asked if asked in epochs else LATEST

    def choose(epoch: int | str) -> None:
        view.show_epoch(None if isinstance(epoch, str) else epoch)

    place.select_slider("Epoch", options, **bound("sample-epoch", shown, choose))
    return epochs[-1] if isinstance(shown, str) else shown


def _grid(one: Listed, dataset: Dataset, at: np.ndarray, predicted: np.ndarray) -> None:
    shown = []
    for position, guess in zip(at, predicted, strict=True):
        row, truth = str(dataset.rows[position]), np.asarray(dataset.keypoints[position])
        # Points that the run does not teach have no prediction, and no error.
        scored = np.where(np.isfinite(guess), truth, np.nan)
        error = rmse(guess[None], scored[None])
        note = f"{error:.2f} px" if np.isfinite(error) else ""
        shown.append(Face(row, f"row {row}", dataset.images[position], truth, note, guess))

    def chosen(row: str) -> None:
        st.session_state["sample-chosen"] = int(row)

    face_grid(shown, dataset.schema, "samples", chosen, columns=6, show=(POINTS,))
    if (row := st.session_state.pop("sample-chosen", None)) is not None:
        routes.browse(
            Selection(model=one.name if one.run.best.is_file() else ""), row, dataset.name
        )
