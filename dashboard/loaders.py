"""Cached access to what lies on disk: the only module with Streamlit caches."""

from __future__ import annotations

import base64
from typing import Any

import cv2
import numpy as np
import streamlit as st
from numpy.typing import NDArray

from fkd import registry
from fkd import selection as sel
from fkd.dataset import Dataset
from fkd.measures import Measures, load, measure


def manifest(name: str) -> dict[str, Any]:
    """The manifest of dataset ``name``; always read, it is small."""
    return registry.manifest(name)


def changed(name: str) -> float:
    """When dataset ``name`` was put in place (seconds)."""
    return (registry.datasets_folder() / name / "manifest.json").stat().st_mtime


def dataset(name: str) -> Dataset:
    """Dataset ``name``, opened once and shared by all users; opened again when it was replaced."""
    return _dataset(name, changed(name))


# One shared object is right here: the arrays are read-only maps, which threads may share.
@st.cache_resource(show_spinner=False, max_entries=16)
def _dataset(name: str, stamp: float) -> Dataset:
    return registry.open_named(name)


def measures(of: Dataset) -> Measures:
    """The measures of a dataset, made now, with a progress bar, if they are not stored yet."""
    return _measures(of.name, of.content_hash, of)


@st.cache_resource(show_spinner=False, max_entries=16)
def _measures(name: str, content_hash: str, _dataset: Dataset) -> Measures:
    if (stored := load(_dataset)) is not None:
        return stored
    bar = st.progress(0.0, text="Measuring the images (once per dataset) ...")

    def show(stage: str, done: int, total: int) -> None:
        bar.progress(min(done / total, 1.0) if total else 0.0, text=f"{stage.capitalize()} ...")

    try:
        return measure(_dataset, show)
    finally:
        bar.empty()


def positions(of: Dataset, measures: Measures, selection: sel.Selection) -> NDArray[np.intp]:
    """Positions of the selected images, in order."""
    return _positions(of.name, of.content_hash, selection, of, measures)


# A shared array instead of a copy per call: with 500,000 rows the copy is what would take long.
@st.cache_resource(show_spinner=False, max_entries=32)
def _positions(
    name: str, content_hash: str, selection: sel.Selection, _dataset: Dataset, _measures: Measures
) -> NDArray[np.intp]:
    found = sel.select(_measures, _dataset.schema, selection).astype(np.int32)
    found.flags.writeable = False
    return found


def png_url(image: NDArray[np.uint8]) -> str:
    """``image`` ``(H, W)`` as a PNG in a data URL."""
    done, data = cv2.imencode(".png", image, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    if not done:
        raise ValueError(f"cannot encode an image of shape {image.shape}")
    return "data:image/png;base64," + base64.b64encode(data.tobytes()).decode()
