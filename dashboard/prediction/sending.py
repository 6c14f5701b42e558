"""Faces on their way to Correct: samples of the dataset of uploads, with suggested points."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from dashboard import routes, state
from dashboard.guard import guard
from fkd.inference.faces import Face
from fkd.labels.store import LabelStore
from fkd.labels.suggestions import suggest
from fkd.measures import measure
from fkd.uploads import UPLOADS, add_faces


def send_button(faces: Sequence[Face], model: str) -> None:
    """A button that hands ``faces`` and what ``model`` says of them to Correct, and goes there."""
    if st.button(
        "Send to Correct",
        key="predict-send",
        type="tertiary",
        icon=":material/edit_location_alt:",
        help=f"Adds the {'face' if len(faces) == 1 else 'faces'} to the dataset '{UPLOADS}' with "
        "these points as suggested points. They become labels when you accept or move them.",
    ):
        with guard("sending to Correct"):
            row = _send(faces, model)
            state.open_next(UPLOADS)
            routes.correct(row, UPLOADS)


def _send(faces: Sequence[Face], model: str) -> int:
    """Add ``faces`` to the uploads; returns the row of the first."""
    with st.spinner(f"Adding to '{UPLOADS}'..."):
        dataset, rows = add_faces([face.crop for face in faces], faces[0].schema)
        points = {row: face.inside for row, face in zip(rows, faces, strict=True)}
        suggest(LabelStore(dataset), points, model)
        measure(dataset)
    return rows[0]
