"""Which images a model is scored on, and which of them it has seen in training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fkd.dataset import Dataset
from fkd.errors import UserError
from fkd.labels.store import LabelStore
from fkd.labels.tags import excluded
from fkd.models.sources import BUNDLED, TrainedModel
from fkd.splits import positions
from fkd.training.config import RunConfig

VALIDATION, ALL = "validation", "all"

_DRAWN = "demo"
"""Origin of datasets of drawn faces, see ``fkd.demo``."""

Rows = NDArray[np.int64]


def held_back(model: TrainedModel, dataset: Dataset) -> Rows | None:
    """Rows of ``dataset`` that the run of ``model`` held back for validation, ascending; None if
    it has no run, one on other data, or one that cannot be read."""
    config = _config(model)
    if config is None or config.data_hash != dataset.content_hash:
        return None
    return config.split.validation


def seen(model: TrainedModel, dataset: Dataset, rows: Rows) -> int | None:
    """How many of ``rows`` the model has learned from; None where that is not known: the run was
    on other data, which may hold the same pictures, or there is none (but see
    ``bundled_never_saw``)."""
    if model.name == BUNDLED and bundled_never_saw(dataset):
        return 0
    config = _config(model)
    if config is None or config.data_hash != dataset.content_hash:
        return None
    learned = np.intersect1d(rows, config.split.training)
    if config.missing == "complete":
        keypoints = np.asarray(dataset.keypoints[positions(dataset, learned)])
        return int(np.isfinite(keypoints).all(axis=(1, 2)).sum())
    return len(learned)


def bundled_never_saw(dataset: Dataset) -> bool:
    """Whether it is sure that the bundled model has not learned from images of ``dataset``.

    It learned from real faces, whose content hash its file does not name, and from drawn ones of
    other numbers than any demo dataset has (``training.examples``): only of drawn faces it is sure.
    """
    return dataset.manifest.get("origin") == _DRAWN


def validation_rows(model: TrainedModel, dataset: Dataset) -> Rows:
    """As ``held_back``.

    Raises:
        UserError: where that is None: the model held nothing of ``dataset`` back.
    """
    rows = held_back(model, dataset)
    if rows is None:
        config = _config(model)
        where = f"was trained on '{config.dataset}'" if config else "comes without its split"
        if config and config.dataset == dataset.name:
            where = f"was trained on another state of '{config.dataset}'"
        raise UserError(
            f"Model '{model.name}' {where}, so there is no validation part of '{dataset.name}'; "
            "evaluate it on all rows."
        )
    return rows


@dataclass(frozen=True)
class Part:
    """Images that some models are scored on.

    Attributes:
        at: ``(n,)`` where they lie in the arrays of the dataset.
        seen: for each model, how many of them it has learned from; see ``seen``.
        differ: the models held different images back, and these are those that all of them did.
        excluded: how many more there would be if they were not excluded from training.
    """

    at: NDArray[np.intp]
    seen: tuple[int | None, ...]
    differ: bool = False
    excluded: int = 0


def part_of(models: Sequence[TrainedModel], dataset: Dataset, split: str) -> Part:
    """``ALL`` images, or those for ``VALIDATION``: what every model that held images of
    ``dataset`` back did hold back.

    Raises:
        UserError: if none of them did, or one was on rows that the dataset does not have.
    """
    if split == ALL:
        rows, differ = dataset.rows, False
    else:
        found = [held for model in models if (held := held_back(model, dataset)) is not None]
        rows = found[0] if found else validation_rows(models[0], dataset)
        for others in found[1:]:
            rows = np.intersect1d(rows, others, assume_unique=True)
        differ = any(not np.array_equal(rows, others) for others in found)
    scored = np.setdiff1d(rows, excluded(LabelStore(dataset)))
    return Part(
        positions(dataset, scored),
        tuple(seen(model, dataset, scored) for model in models),
        differ,
        len(rows) - len(scored),
    )


def _config(model: TrainedModel) -> RunConfig | None:
    try:
        return model.run.config if model.run is not None else None
    except UserError:
        return None
