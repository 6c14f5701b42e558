"""Faces of the dataset as a training would see them."""

from __future__ import annotations

import numpy as np
import streamlit as st

from dashboard import loaders
from dashboard.current import Current
from dashboard.face_grid import POINTS, Face, face_grid
from fkd.training.augment import augment
from fkd.training.config import Augmentation

_FACES = 12
_SEED = "preview-seed"


def varied_faces(current: Current, how: Augmentation) -> None:
    """A dozen augmented faces with their points. The same chance decides while a slider moves, so
    that nothing but the slider changes what is seen."""
    seed = st.session_state.setdefault(_SEED, 0)
    with st.container(horizontal=True, vertical_alignment="center"):
        words = "As the model sees them" if how.active else "Unchanged: augmentation is off"
        st.caption(f"{words}. Points outside the image are ignored.", width="stretch")
        st.button(
            "Other faces",
            icon=":material/casino:",
            type="tertiary",
            on_click=lambda: st.session_state.update({_SEED: seed + 1}),
        )
    dataset = current.dataset
    labelled = np.flatnonzero(np.asarray(current.measures.n_present) > 0)
    generator = np.random.default_rng(seed)
    at = np.sort(generator.permutation(labelled)[:_FACES])
    if not len(at):
        st.caption("No image of this dataset has a label.")
        return
    images, points = preview(dataset.images[at], dataset.keypoints[at], how, current, seed)
    faces = [
        Face(str(dataset.rows[p]), f"row {dataset.rows[p]}", image, places)
        for p, image, places in zip(at, images, points, strict=True)
    ]
    face_grid(faces, dataset.schema, "preview", lambda _: None, columns=4, show=(POINTS,))
    loaders.release(dataset)


def preview(
    images: np.ndarray, keypoints: np.ndarray, how: Augmentation, current: Current, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Images ``(B, H, W)`` uint8 and points ``(B, K, 2)``, NaN where missing, varied."""
    here = np.isfinite(keypoints).all(axis=-1, keepdims=True)
    targets = np.concatenate([np.where(here, keypoints, 0), here], axis=-1).astype(np.float32)
    generator = np.random.default_rng([seed, 1])
    varied, moved = augment(np.asarray(images), targets, how, current.dataset.schema, generator)
    points = np.where(moved[..., 2:] > 0, moved[..., :2], np.nan)
    return np.rint(varied).astype(np.uint8), points
