"""Faces on their way to Correct: samples of the dataset of uploads, their points as drafts."""

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
        "Send to correction",
        key="predict-send",
        type="tertiary",
        icon=":material/edit_location_alt:",
        help=f"{'The face becomes a sample' if len(faces) == 1 else 'The faces become samples'} of "
        f"the dataset '{UPLOADS}', with these points as drafts: they count as labels once you "
        "have accepted or moved them.",
    ):
        with guard("sending to correction"):
            row = _send(faces, model)
            state.open_next(UPLOADS)
            routes.correct(row, UPLOADS)


def _send(faces: Sequence[Face], model: str) -> int:
    """Add ``faces`` to the uploads; returns the row of the first."""
    with st.spinner("Adding to the uploads ..."):
        dataset, rows = add_faces([face.crop for face in faces], faces[0].schema)
        points = {row: face.inside for row, face in zip(rows, faces, strict=True)}
        suggest(LabelStore(dataset), points, model)
        measure(dataset)
    return rows[0]
