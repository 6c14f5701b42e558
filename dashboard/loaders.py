"""Cached access to what lies on disk; ``predictions`` does the same for what models say."""

from __future__ import annotations

import base64
import mmap
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import streamlit as st
from numpy.typing import NDArray

from fkd import registry
from fkd import selection as sel
from fkd.dataset import Dataset
from fkd.errors import UserError
from fkd.labels.at import corrected
from fkd.labels.store import LabelStore
from fkd.labels.tags import Tags, head, read_tags
from fkd.measures import Measures, Provisional, load, with_labels
from fkd.measures import provisional as provisional_measures
from fkd.models.sources import BUNDLED, trained_model
from fkd.storage import read_fields
from fkd.training.history import FILE as METRICS

if TYPE_CHECKING:
    import pandas as pd

    from fkd.evaluation.images import Predicted
    from fkd.inference.reference import Reference
    from fkd.statistics.coordinates import PointDensity
    from fkd.statistics.missing import Missingness
    from fkd.training.config import RunConfig
    from fkd.training.history import Row
    from fkd.training.runs import Run


def manifest(name: str) -> dict[str, Any]:
    """The manifest of dataset ``name``; always read, it is small."""
    return registry.manifest(name)


def changed(name: str) -> float:
    """When dataset ``name`` was put in place (seconds); 0 where there is no telling."""
    try:
        return (registry.datasets_folder() / name / "manifest.json").stat().st_mtime
    except OSError:
        return 0.0


def _stamp(name: str) -> tuple[tuple[int, int], ...]:
    """Changes whenever a file of dataset ``name`` does: to read on in one that has become shorter
    would end the process."""
    found = []
    folder = registry.datasets_folder() / name
    for path in (folder / "manifest.json", *sorted(folder.glob("*.npy"))):
        with suppress(OSError):
            about = path.stat()
            found.append((about.st_mtime_ns, about.st_size))
    return tuple(found)


def ingested(name: str) -> Dataset:
    """Dataset ``name`` with the labels that it came with, opened once and shared by all users;
    opened again when it was replaced."""
    return _dataset(name, _stamp(name))


def dataset(name: str) -> Dataset:
    """As ``ingested``, with the latest labels."""
    of = ingested(name)
    version = LabelStore(of).head()
    return _corrected(name, of.content_hash, version, of) if version else of


@st.cache_resource(show_spinner=False, max_entries=4)
def _corrected(name: str, content_hash: str, version: int, _dataset: Dataset) -> Dataset:
    return corrected(_dataset, version)


# One shared object is right here: the arrays are read-only maps, which threads may share.
@st.cache_resource(show_spinner=False, max_entries=16)
def _dataset(name: str, stamp: tuple[tuple[int, int], ...]) -> Dataset:
    return registry.open_named(name)


def fields(of: Dataset) -> dict[str, list[str]]:
    """What else the source file said of each image, by the name of the field. ``UserError`` if it
    is damaged."""
    return _fields(of.name, of.content_hash, of)


@st.cache_resource(show_spinner=False, max_entries=4)
def _fields(name: str, content_hash: str, _dataset: Dataset) -> dict[str, list[str]]:
    return read_fields(_dataset)


def tags(of: Dataset) -> Tags:
    """The tags of the images, as they are now."""
    store = LabelStore(of)
    return _tags(store.key, head(store), of)


@st.cache_resource(show_spinner=False, max_entries=8)
def _tags(key: str, number: int, _dataset: Dataset) -> Tags:
    return read_tags(LabelStore(_dataset))


def measures(of: Dataset) -> Measures | None:
    """The stored measures of a dataset; None if it has not been measured yet."""
    found = _measures(of.name, of.content_hash, of)
    if found is None:
        _measures.clear(of.name, of.content_hash, of)  # only what is there is worth keeping
        return None
    return _of_labels(of.name, of.labels_key, of, found) if of.labels else found


def provisional(of: Dataset) -> Provisional:
    """What the labels alone tell of a dataset that is not measured yet."""
    return _provisional(of.name, of.labels_key, of)


@st.cache_resource(show_spinner=False, max_entries=4)
def _provisional(name: str, labels_key: str, _dataset: Dataset) -> Provisional:
    return provisional_measures(_dataset)


@st.cache_resource(show_spinner=False, max_entries=4)
def _of_labels(name: str, labels_key: str, _dataset: Dataset, _measures: Measures) -> Measures:
    return with_labels(_measures, _dataset)


@st.cache_resource(show_spinner=False, max_entries=16)
def _measures(name: str, content_hash: str, _dataset: Dataset) -> Measures | None:
    if (stored := load(_dataset)) is not None:
        _expect_random_access(_dataset)
    return stored


def _expect_random_access(of: Dataset) -> None:
    """Tell the system that pages show a few images here and there: read ahead, it would fetch
    megabytes for each of them."""
    _advise(of, "MADV_RANDOM")


def release(of: Dataset) -> None:
    """Unmap the images looked at (the system's cache keeps them), so that the process does not
    grow with what was browsed."""
    _advise(of, "MADV_DONTNEED")


def _advise(of: Dataset, advice: str) -> None:
    for images in (of.images, of.test_images):
        mapped = getattr(images, "_mmap", None)
        if mapped is not None and hasattr(mmap, advice):
            mapped.madvise(getattr(mmap, advice))


def positions(
    of: Dataset, measures: Measures, selection: sel.Selection, predicted: Predicted | None = None
) -> NDArray[np.intp]:
    """Positions of the selected images, in order; see ``fkd.selection.select``."""
    # Only what is asked for decides: with or without marks of a model, it is the same selection.
    version: tuple[int, ...] = ()
    if selection.model and not selection.asks_model:
        selection = replace(selection, model="")
    elif predicted is not None:
        version = predicted.version
    of_tags = tags(of) if selection.tags else None
    version = (*version, of_tags.number if of_tags else 0, _known(measures))
    return _positions(of.name, of.labels_key, selection, version, of, measures, predicted, of_tags)


def _known(measures: Measures) -> int:
    return 0 if isinstance(measures, Provisional) else 1


# A shared array instead of a copy per call: with 500,000 rows the copy is what would take long.
@st.cache_resource(show_spinner=False, max_entries=8)
def _positions(
    name: str,
    labels_key: str,
    selection: sel.Selection,
    version: tuple[int, ...],
    _dataset: Dataset,
    _measures: Measures,
    _predicted: Predicted | None,
    _tags: Tags | None,
) -> NDArray[np.intp]:
    schema, rows = _dataset.schema, _dataset.rows
    found = sel.select(_measures, schema, selection, _predicted, _tags, rows).astype(np.int32)
    found.flags.writeable = False
    return found


def counts(
    of: Dataset, measures: Measures, selection: sel.Selection, predicted: Predicted | None = None
) -> dict[str, int]:
    """How many images each further filter would show; see ``fkd.selection.counts``."""
    selection = replace(selection, sort=sel.ROW, descending=False)
    now = tags(of)
    version = (*(predicted.version if predicted else ()), now.number, _known(measures))
    return _counts(of.name, of.labels_key, selection, version, of, measures, predicted, now)


@st.cache_resource(show_spinner=False, max_entries=32)
def _counts(
    name: str,
    labels_key: str,
    selection: sel.Selection,
    version: tuple[int, ...],
    _dataset: Dataset,
    _measures: Measures,
    _predicted: Predicted | None,
    _tags: Tags,
) -> dict[str, int]:
    schema, rows = _dataset.schema, _dataset.rows
    return sel.counts(_measures, schema, selection, _predicted, _tags, rows)


def png_url(image: NDArray[np.uint8]) -> str:
    """``image`` ``(H, W)`` as a PNG in a data URL."""
    done, data = cv2.imencode(".png", image)
    if not done:
        raise ValueError(f"cannot encode an image of shape {image.shape}")
    return "data:image/png;base64," + base64.b64encode(data.tobytes()).decode()


def missingness(of: Dataset) -> Missingness:
    """Counts and patterns of missing points."""
    return _missingness(of.name, of.labels_key, of)


@st.cache_resource(show_spinner="Counting missing points ...", max_entries=8)
def _missingness(name: str, labels_key: str, _dataset: Dataset) -> Missingness:
    from fkd.statistics.missing import missingness

    return missingness(_dataset.keypoints, _dataset.schema)


def coordinate_summary(of: Dataset, by_source: bool) -> pd.DataFrame:
    """Count, mean, spread and range of each coordinate."""
    return _coordinate_summary(of.name, of.labels_key, by_source, of)


@st.cache_data(show_spinner="Summing up coordinates ...", max_entries=16)
def _coordinate_summary(
    name: str, labels_key: str, by_source: bool, _dataset: Dataset
) -> pd.DataFrame:
    from fkd.statistics.coordinates import coordinate_summary

    return coordinate_summary(_dataset.keypoints, _dataset.schema, by_source)


MEAN_FACE_IMAGES = 2000
"""Images that the mean face is made of, at most."""


def mean_face(of: Dataset) -> NDArray[np.uint8]:
    """The mean image ``(H, W)`` of the dataset, or of a spread-out sample of it."""
    return _mean_face(of.name, of.content_hash, of)


@st.cache_data(show_spinner=False, max_entries=8)
def _mean_face(name: str, content_hash: str, _dataset: Dataset) -> NDArray[np.uint8]:
    from fkd.statistics.coordinates import mean_face

    n = len(_dataset)
    rows = np.unique(np.linspace(0, n - 1, min(n, MEAN_FACE_IMAGES)).astype(int))
    mean = mean_face(_dataset.images, rows)
    return np.clip(np.rint(mean), 0, 255).astype(np.uint8)


def mean_points(of: Dataset) -> NDArray[np.float32]:
    """``(K, 2)`` mean position of each keypoint, NaN for one that is never labelled."""
    frame = coordinate_summary(of, by_source=False)
    return frame["mean"].to_numpy(np.float32).reshape(len(of.schema), 2)


def usual_points(of: Dataset) -> NDArray[np.float32]:
    """As ``mean_points``; points that are never labelled lie where the faces have them that the
    bundled model learned from, as far as that is known."""
    mean = mean_points(of)
    if np.isfinite(mean).all() or (reference := _bundled_reference(of.schema.name, of)) is None:
        return mean
    return np.where(np.isfinite(mean), mean, reference.points).astype(np.float32)


@st.cache_resource(show_spinner=False, max_entries=4)
def _bundled_reference(schema: str, _dataset: Dataset) -> Reference | None:
    from fkd.inference.reference import Reference

    try:
        return Reference.read(trained_model(BUNDLED).path, _dataset.schema)
    except UserError:
        return None


def point_density(of: Dataset, k: int, bins: int) -> PointDensity:
    """How many labels of keypoint ``k`` lie where."""
    return _point_density(of.name, of.labels_key, k, bins, of)


@st.cache_resource(show_spinner=False, max_entries=64)
def _point_density(
    name: str, labels_key: str, k: int, bins: int, _dataset: Dataset
) -> PointDensity:
    from fkd.statistics.coordinates import point_density

    return point_density(_dataset.keypoints, k, _dataset.schema, bins)


def run_config(run: Run) -> RunConfig:
    """What ``run`` was told; a file that holds all its rows, so it is read once."""
    return _run_config(str(run.folder), run.created, run)


@st.cache_resource(show_spinner=False, max_entries=512)
def _run_config(folder: str, stamp: float, _run: Run) -> RunConfig:
    return _run.config


def run_history(run: Run) -> list[Row]:
    """The course of ``run``; not to be changed. Empty where it cannot be read: see
    ``history_trouble``."""
    try:
        stat = (run.folder / METRICS).stat()
        return _run_history(str(run.folder), stat.st_mtime_ns, stat.st_size, run)
    except (OSError, UserError):
        return []


def history_trouble(run: Run) -> str:
    """Why the course of ``run`` cannot be read; empty where it can."""
    try:
        _ = run.history
    except UserError as error:
        return str(error)
    return ""


@st.cache_resource(show_spinner=False, max_entries=64)
def _run_history(folder: str, stamp: int, size: int, _run: Run) -> list[Row]:
    return _run.history
