"""Stores of labels for the tests, and what they hold."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from evaluation_helper import labelled
from sqlalchemy.engine import URL

from fkd.dataset import Dataset
from fkd.labels.database import transaction
from fkd.labels.point import Edit, PointLabel
from fkd.labels.states import Labels, Origin, State
from fkd.labels.store import LabelStore

ROWS = (5, 7, 9, 11, 13, 15)
"""Source rows of the images in ``faces``: they have gaps. Of the first and the fourth, most points
are missing."""

Labelled = dict[tuple[int, int], PointLabel]


def faces(name: str = "faces") -> Dataset:
    return labelled(len(ROWS), name)


def store_at(url: URL | None, name: str = "faces") -> LabelStore:
    return LabelStore(faces(name), url)


def visible(x: float, y: float = 40.0, origin: Origin = Origin.EDITED, source: str = ""):
    return PointLabel(State.VISIBLE, x, y, origin, source)


def put(row: int, x: float, keypoint: int = 0) -> list[Edit]:
    """The wish that a point be at ``x``."""
    return [Edit(row, keypoint, visible(x))]


def all_labels(store: LabelStore) -> Labelled:
    """The label of every keypoint of every image, as the page reads them."""
    return {(row, k): label for row in ROWS for k, label in enumerate(store.labels_of(row)[1])}


def same(labels: Labels, expected: Labelled) -> bool:
    """Whether arrays say what single labels say."""
    other = Labels.original(faces())
    other = replace(other, version=labels.version)
    for (row, k), label in expected.items():
        at = ROWS.index(row)
        other.points[at, k] = label.place or np.nan
        other.states[at, k] = label.state
        other.origins[at, k] = label.origin
    return all(
        np.array_equal(getattr(labels, what), getattr(other, what), equal_nan=what == "points")
        for what in ("rows", "points", "states", "origins")
    )


def counts(url: URL) -> dict[str, int]:
    """How many rows each table has."""
    tables = ("datasets", "versions", "changes", "drafts", "reviews")
    with transaction(url) as connection:
        return {
            table: connection.exec_driver_sql(f"SELECT COUNT(*) FROM {table}").scalar_one()
            for table in tables
        }
