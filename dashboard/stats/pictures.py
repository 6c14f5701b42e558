"""A row of faces on the Statistics page; a click opens one in Browse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from dashboard import routes
from dashboard.browse import grid
from dashboard.browse.view import View
from dashboard.current import Current
from dashboard.face_grid import EDGES, POINTS, face_grid
from dashboard.face_picture import download_faces
from fkd.labels.tags import Tags
from fkd.selection import Selection


def pictures(
    current: Current,
    positions: Sequence[int] | NDArray[np.integer],
    selection: Selection,
    key: str,
    *,
    edges: bool = False,
    columns: int | None = None,
    notes: Sequence[str] | None = None,
) -> None:
    """The faces at ``positions``, captioned with ``notes``, or else with the sort value of
    ``selection``, within which a click opens one."""
    chosen_key = f"chosen-{key}"
    faces = [grid.face(current, View(selection=selection), int(p), Tags()) for p in positions]
    if notes is not None:
        faces = [replace(face, note=note) for face, note in zip(faces, notes, strict=True)]
    face_grid(
        faces,
        current.dataset.schema,
        key,
        lambda chosen: st.session_state.__setitem__(chosen_key, int(chosen)),
        face_px=120,
        columns=columns,
        show=(POINTS, EDGES) if edges else (POINTS,),
    )
    download_faces(faces, current.dataset.schema, f"{current.dataset.name}-{key}")
    # A page can only be left from a run, not from the callback that comes before it.
    if (chosen := st.session_state.pop(chosen_key, None)) is not None:
        routes.browse(selection, chosen)
