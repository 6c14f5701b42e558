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
    labels = Labels.original(store.dataset)
    index = {name: k for k, name in enumerate(store.dataset.schema.names)}
    for change in store.changes(until=number):
        if change.new.origin == Origin.PREDICTION and not accepted:
            continue
        at = store.dataset.position(change.row)
        if at is None:
            continue
        k = index[change.keypoint]
        place = change.new.place
        labels.points[at, k] = np.nan if place is None else place
        labels.states[at, k] = change.new.state
        labels.origins[at, k] = change.new.origin
    return replace(labels, version=number)


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
            f"{word!r} is no version of labels: give its number, '{LATEST}' or '{ORIGINAL}'."
        )
    check_version(int(word), latest, dataset.name)
    return int(word)
