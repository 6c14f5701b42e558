"""A dataset as its labels were at a version."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from fkd.dataset import Dataset
from fkd.errors import UserError
from fkd.labels.history import check_version
from fkd.labels.states import Labels, Origin
from fkd.labels.store import LabelStore


def labels_at(store: LabelStore, version: int | None = None, *, accepted: bool = True) -> Labels:
    """The labels of the store's dataset at ``version``, by default the latest.

    Without ``accepted``, a prediction that a person accepted as it was does not count: the point
    is what it was before.

    Raises:
        UserError: if there is no such version.
    """
    latest = store.head()
    number = latest if version is None else version
    check_version(number, latest, store.dataset.name)
    labels = replace(Labels.original(store.dataset), version=number)
    found = store.outcomes(number, without=None if accepted else Origin.PREDICTION)
    if not found:
        return labels
    rows, names, states, x, y, origins = map(list, zip(*found, strict=True))
    index = {name: k for k, name in enumerate(store.dataset.schema.names)}
    there = np.isin(rows, labels.rows)
    at = np.searchsorted(labels.rows, np.array(rows)[there])
    k = np.array([index[name] for name in names])[there]
    # Where a point was changed more than once, the last one is what stays.
    labels.points[at, k] = np.array([x, y], np.float32).T[there]  # None becomes NaN
    labels.states[at, k] = np.array(states)[there]
    labels.origins[at, k] = np.array(origins)[there]
    return labels


def corrected(dataset: Dataset, version: int | None = None, *, accepted: bool = True) -> Dataset:
    """``dataset`` with its labels as they were at ``version``, by default the latest: points
    without a position are NaN. Its images, rows and name stay; its hash stays that of the files.

    Raises:
        UserError: if there is no such version.
    """
    if version == 0:
        return dataset
    store = LabelStore(dataset)
    labels = labels_at(store, version, accepted=accepted)
    if labels.version == 0:
        return dataset
    points = labels.points
    points.flags.writeable = False
    name = str(labels.version) if accepted else f"{labels.version} without accepted predictions"
    return replace(dataset, keypoints=points, labels=name)


LATEST, ORIGINAL = "latest", "original"


def version_called(word: str, dataset: Dataset) -> int:
    """The number of the version that ``word`` names: ``LATEST``, ``ORIGINAL`` or a number.

    Raises:
        UserError: if there is none.
    """
    latest = LabelStore(dataset).head()
    if word in (LATEST, ORIGINAL):
        return latest if word == LATEST else 0
    if not (word.isascii() and word.isdigit() and len(word) < 10):
        raise UserError(
            f"{word!r} is not a version of the labels: give a number, '{LATEST}' or '{ORIGINAL}'."
        )
    check_version(int(word), latest, dataset.name)
    return int(word)
