"""The worst, the median and the best faces, predicted beside true; a click opens one in Browse."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from dashboard import loaders, routes
from dashboard.evaluation import view
from dashboard.evaluation.controls import Compared
from dashboard.evaluation.view import APART, FIRST, SECOND, WHICH, View, linked
from dashboard.face_grid import Face, face_grid
from dashboard.face_picture import download_faces
from dashboard.links import one_of, pager

_ON_A_PAGE = 24
_CHOSEN = "e-chosen"


def section(compared: Compared, shown: View) -> None:
    two = len(compared.results) > 1
    row = st.container(horizontal=True, vertical_alignment="bottom", gap="small")
    one_of(row.segmented_control, "Faces", WHICH, linked(shown, "which", page=1))
    if two:
        first, second = compared.names
        words = {FIRST: f"Error of {first}", SECOND: f"Error of {second}", APART: "Difference"}
        one_of(
            row.segmented_control,
            "Sort by",
            words,
            linked(shown, "by", page=1),
            help="Difference: between the errors of the two models; Worst then shows the faces "
            "where they differ most.",
        )
    order = _order(compared, shown)
    on_a_page = _ON_A_PAGE // 2 if two else _ON_A_PAGE
    pages = max(1, -(-len(order) // on_a_page))
    page = min(shown.page, pages)
    st.caption(
        "Dots are the labels, rings the predictions. Below each face: the mean distance between "
        "them. Click a face to open it in Browse."
    )
    _grid(compared, shown, order[(page - 1) * on_a_page : page * on_a_page], page)
    if pages > 1:
        pager(pages, page, "e-page", lambda to: view.write(replace(shown, page=to)))


def _order(compared: Compared, shown: View) -> NDArray[np.intp]:
    """Images, as indices into the results, in the order to show them; without labels, none."""
    errors = [result.error for result in compared.results]
    if len(errors) == 1 or shown.by == FIRST:
        value = errors[0]
    else:
        value = errors[1] if shown.by == SECOND else np.abs(errors[0] - errors[1])
    known = np.flatnonzero(np.isfinite(value))
    ascending = known[np.argsort(value[known], kind="stable")]
    if shown.which == "best":
        return ascending
    if shown.which == "worst":
        return ascending[::-1]
    # Outwards from the middle.
    away = np.abs(np.arange(len(ascending)) - (len(ascending) - 1) / 2)
    return ascending[np.argsort(away, kind="stable")]


def _grid(compared: Compared, shown: View, which: NDArray[np.intp], page: int) -> None:
    dataset = compared.current.dataset
    two = len(compared.results) > 1
    faces = []
    for i in which:
        at, row = compared.results[0].at[i], compared.results[0].rows[i]
        for number, result in enumerate(compared.results):
            error = f"{result.error[i]:.1f} px"
            faces.append(
                Face(
                    id=f"{number}:{row}",
                    title=f"row {row}",
                    note=f"{result.model}: {error}" if two else error,
                    image=dataset.images[at],
                    keypoints=dataset.keypoints[at],
                    predicted=result.points[i],
                )
            )
    face_grid(
        faces,
        dataset.schema,
        "e-grid",
        lambda chosen: st.session_state.__setitem__(_CHOSEN, chosen),
        face_px=140,
        columns=8 if two else None,
        pairs=two,
        page=page,
    )
    names = "-".join([*compared.names, dataset.name, compared.split, shown.which])
    download_faces(faces, dataset.schema, f"{names}-{page}")
    loaders.release(dataset)
    # A page can only be left from a run, not from the callback that comes before it.
    if (chosen := st.session_state.pop(_CHOSEN, None)) is not None:
        number, _, row = chosen.partition(":")
        routes.browse(compared.selection(int(number), shown.which != "best"), int(row))
