"""The faces beside a gain: where the error fell or rose most, and what was corrected most."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from dashboard import loaders, routes
from dashboard.evaluation.controls import Compared
from dashboard.evaluation.view import GAINED, View, linked
from dashboard.face_grid import Face, face_grid
from dashboard.face_picture import download_faces
from dashboard.links import one_of
from fkd.evaluation.corrections import Correction, corrections, counts, distances
from fkd.evaluation.gain import Gain
from fkd.labels.states import Labels

_SHOWN = 16
_CHOSEN = "e-gain-chosen"

_VALIDATION = (
    "Validation images: dots are the labels, rings the predictions of the later model. Below each: "
    "its mean error (px) before and after."
)
_CAPTIONS = {
    "fell": _VALIDATION,
    "rose": _VALIDATION,
    "corrected": "Training images: dots are the labels after the correction, rings where they were "
    "before. Below each: how many of its labels were corrected.",
}


@dataclass(frozen=True)
class Learned:
    """The labels of the training part that the earlier and the later run learned from."""

    before: Labels
    after: Labels

    @cached_property
    def kinds(self) -> NDArray[np.int8]:
        """``(N, K)`` values of ``Correction``."""
        return corrections(self.before, self.after)

    @cached_property
    def counts(self) -> NDArray[np.int64]:
        """``(K, 5)`` corrected labels of each keypoint by kind, in the order of ``WORDS``."""
        return counts(self.kinds)

    @property
    def total(self) -> int:
        """How many labels were corrected."""
        return int(self.counts.sum())


def section(
    compared: Compared,
    shown: View,
    pair: tuple[int, int],
    found: Gain,
    learned: Learned | None,
) -> None:
    """One grid of faces; ``pair`` are the places of the earlier and the later model."""
    offered = {k: word for k, word in GAINED.items() if k != "corrected" or learned is not None}
    gained = shown.gained if shown.gained in offered else "fell"
    st.markdown("#### Faces")
    one_of(
        st.segmented_control,
        "Faces of the gain",
        offered,
        linked(shown, "gained"),
        label_visibility="collapsed",
    )
    st.caption(_CAPTIONS[gained] + " Click a face to open it in Browse.")
    if gained == "corrected" and learned is not None:
        faces = _corrected(compared, learned)
    else:
        faces = _changed(compared, pair, found.change, rose=gained == "rose")
    face_grid(
        faces,
        compared.current.dataset.schema,
        "e-gain-grid",
        lambda chosen: st.session_state.__setitem__(_CHOSEN, chosen),
        face_px=140,
    )
    names = "-".join([*(compared.names[i] for i in pair), compared.current.dataset.name])
    download_faces(faces, compared.current.dataset.schema, f"{names}-gain-{gained}")
    loaders.release(compared.current.dataset)
    # A page can only be left from a run, not from the callback that comes before it.
    if (row := st.session_state.pop(_CHOSEN, None)) is not None:
        routes.browse(compared.selection(pair[1]).unfiltered(), int(row))


def _changed(
    compared: Compared, pair: tuple[int, int], change: NDArray[np.float64], *, rose: bool
) -> list[Face]:
    before, after = (compared.results[i] for i in pair)
    dataset = compared.current.dataset
    order = np.argsort(-change if rose else change, kind="stable")  # NaN comes last
    chosen = [i for i in order[:_SHOWN] if (change[i] > 0 if rose else change[i] < 0)]
    return [
        Face(
            id=str(after.rows[i]),
            title=f"row {after.rows[i]}",
            note=f"{before.error[i]:.1f} → {after.error[i]:.1f} px",
            image=dataset.images[after.at[i]],
            keypoints=dataset.keypoints[after.at[i]],
            predicted=after.points[i],
        )
        for i in chosen
    ]


def _corrected(compared: Compared, learned: Learned) -> list[Face]:
    """Those with the most corrected labels, of as many those that were moved farthest."""
    dataset = compared.current.dataset
    there = learned.kinds != Correction.NONE
    moved = np.nan_to_num(distances(learned.before, learned.after)).max(axis=1)
    count = there.sum(axis=1)
    order = np.lexsort((-moved, -count))[:_SHOWN]
    faces = []
    for i in order[count[order] > 0]:
        row = int(learned.after.rows[i])
        at = dataset.position(row)
        assert at is not None  # both are of this dataset
        faces.append(
            Face(
                id=str(row),
                title=f"row {row}",
                note=f"{count[i]} corrected {'label' if count[i] == 1 else 'labels'}",
                image=dataset.images[at],
                keypoints=learned.after.points[i],
                predicted=np.where(there[i][:, None], learned.before.points[i], np.nan),
            )
        )
    return faces
