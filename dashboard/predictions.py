"""Cached access to what models predicted and how good that is; ``loaders`` has all other caches."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from dashboard import loaders
from fkd.columns import FLAGS
from fkd.dataset import Dataset
from fkd.evaluation.images import Predicted, look_up
from fkd.evaluation.parts import Part, held_back, part_of
from fkd.evaluation.predictions import version
from fkd.evaluation.results import Result, judge
from fkd.measures import Measures
from fkd.models.sources import TrainedModel

if TYPE_CHECKING:
    from fkd.evaluation.floor import LabelNoise

Version = tuple[int, ...]
Stamps = tuple[tuple[str | int, ...], ...]


def predicted(model: TrainedModel, of: Dataset) -> Predicted | None:
    """What ``model`` says of the labelled images, as far as it was asked; None if it was not."""
    key = (model.name, version(model, of), of.labels_key)
    if (found := _predicted(*key, model, of)) is None:
        _predicted.clear(*key, model, of)  # only what is there is worth keeping
    return found


@st.cache_resource(show_spinner=False, max_entries=4)
def _predicted(
    name: str, version: Version, labels_key: str, _model: TrainedModel, _dataset: Dataset
) -> Predicted | None:
    return look_up(_model, _dataset)


def has_validation(model: TrainedModel, of: Dataset) -> bool:
    """Whether the run of ``model`` held images of this dataset back."""
    return _has_validation(model.name, version(model, of), of.labels_key, model, of)


@st.cache_resource(show_spinner=False, max_entries=256)
def _has_validation(
    name: str, version: Version, labels_key: str, _model: TrainedModel, _dataset: Dataset
) -> bool:
    return held_back(_model, _dataset) is not None


def _stamps(models: tuple[TrainedModel, ...], of: Dataset) -> Stamps:
    return tuple((model.name, *version(model, of)) for model in models)


def part(models: tuple[TrainedModel, ...], of: Dataset, split: str) -> Part:
    """The images that ``models`` are scored on, and how many each has seen.

    Raises:
        UserError: if there is no such part.
    """
    return _part(_stamps(models, of), of.labels_key, loaders.tags(of).number, split, models, of)


@st.cache_resource(show_spinner=False, max_entries=16)
def _part(
    stamps: Stamps,
    labels_key: str,
    tagged: int,
    split: str,
    _models: tuple[TrainedModel, ...],
    _dataset: Dataset,
) -> Part:
    return part_of(_models, _dataset, split)


def result(
    models: tuple[TrainedModel, ...], which: int, of: Dataset, measures: Measures, split: str
) -> Result | None:
    """How good ``models[which]`` is on the ``split`` of all of them, by the keypoints that all of
    them have learned; None if it was not asked about each of these images yet."""
    everything = [predicted(model, of) for model in models]
    found = everything[which]
    at = part(models, of, split).at
    if found is None or not found.covers(at):
        return None
    counted = np.all([one.taught for one in everything if one is not None], axis=0)
    key = (_stamps(models, of), which, of.labels_key, loaders.tags(of).number, split)
    return _result(*key, found, of, at, measures, counted)


@st.cache_resource(show_spinner=False, max_entries=8)
def _result(
    stamps: Stamps,
    which: int,
    labels_key: str,
    tagged: int,
    split: str,
    _predicted: Predicted,
    _dataset: Dataset,
    _at: np.ndarray,
    _measures: Measures,
    _counted: np.ndarray,
) -> Result:
    flagged = [FLAGS[flag].training(_measures) for flag in ("outlier", "swapped")]
    return judge(_predicted, _dataset, _at, np.any(flagged, axis=0), _counted)


def noise(of: Dataset, measures: Measures) -> LabelNoise:
    """How exact the labels are, told by pictures that were labelled twice."""
    return _noise(of.name, of.labels_key, of, measures)


@st.cache_resource(show_spinner="Comparing labels of duplicates ...", max_entries=8)
def _noise(name: str, labels_key: str, _dataset: Dataset, _measures: Measures) -> LabelNoise:
    from fkd.evaluation.floor import label_noise

    return label_noise(_dataset, _measures)
