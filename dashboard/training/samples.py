"""The fixed validation faces of runs, their points as predicted after each epoch."""

from __future__ import annotations

from collections.abc import Sequence

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
_COLUMNS = 6
"""Faces side by side; of several runs there is one row each, so that a face stands below itself."""


def faces(found: Sequence[Listed]) -> None:
    """Draw the faces of the runs that are not hidden, at the epoch chosen, or say why there are
    none."""
    hidden = view.hidden()
    several = len(found) > 1
    runs = [one for one in found if one.name not in hidden and one.run.sample_epochs()]
    if not runs:
        return
    head, slider = st.columns([1.4, 1], vertical_alignment="center", gap="large")
    head.markdown("#### Validation faces")
    every = sorted({epoch for one in runs for epoch in one.run.sample_epochs()})
    asked = _epoch(every, slider)
    head.caption(
        "Dots are the labels, rings the predictions; the number is the RMSE of the face. The model "
        "is not trained on these images."
    )
    for one in runs:
        epochs = one.run.sample_epochs()
        epoch = max((e for e in epochs if asked is None or e <= asked), default=epochs[0])
        name = f"**{plain(one.name)}**, " if several else ""
        st.caption(f"{name}{'after' if several else 'After'} epoch {epoch}")
        try:
            dataset = _dataset_of(one)
            predicted = one.run.samples(epoch)
            at = positions(dataset, one.run.sample_rows())
            if predicted.shape != (len(at), len(dataset.schema), 2):
                raise UserError(
                    f"The predictions of epoch {epoch} have the shape {predicted.shape}; those of "
                    f"{len(at)} faces were expected."
                )
        except UserError as error:
            st.caption(plain(f"The faces cannot be shown. {error}"))
            continue
        count = _COLUMNS if several else len(at)
        _grid(one, dataset, at[:count], predicted[:count])


def _dataset_of(one: Listed) -> Dataset:
    if one.config.dataset not in dataset_names():
        raise UserError(f"Dataset '{one.config.dataset}' no longer exists.")
    dataset = loaders.dataset(one.config.dataset)
    if dataset.content_hash != one.config.data_hash:
        raise UserError(f"Dataset '{dataset.name}' is not the one that this run was trained on.")
    return dataset


def _epoch(epochs: list[int], place: st.delta_generator.DeltaGenerator) -> int | None:
    """The epoch to show; None for the latest of each run, until another is chosen."""
    options = [*epochs, LATEST]
    asked = view.epoch()
    shown = asked if asked in epochs else LATEST

    def choose(epoch: int | str) -> None:
        view.show_epoch(None if isinstance(epoch, str) else epoch)

    place.select_slider("Epoch", options, **bound("sample-epoch", shown, choose))
    return None if isinstance(shown, str) else shown


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

    key = f"samples-{one.name}"
    face_grid(shown, dataset.schema, key, chosen, columns=_COLUMNS, show=(POINTS,))
    if (row := st.session_state.pop("sample-chosen", None)) is not None:
        routes.browse(
            Selection(model=one.name if one.run.best.is_file() else ""), row, dataset.name
        )
