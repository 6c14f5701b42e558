"""Faces sent from Predict, as a dataset of their own that can be corrected and trained on."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fkd.dataset import Dataset
from fkd.errors import UserError
from fkd.keypoints import KeypointSchema
from fkd.registry import locked, staged
from fkd.storage import DatasetWriter, open_dataset

UPLOADS = "uploads"
"""Name of the dataset."""

ORIGIN = "uploads"
"""In its manifest: nobody else's dataset of that name is added to."""

MAX_FACES = 20_000
"""Faces that it takes: it is written anew with every addition, 9 kB a face."""


def add_faces(
    crops: Sequence[NDArray[np.uint8]], schema: KeypointSchema, name: str = UPLOADS
) -> tuple[Dataset, list[int]]:
    """Add ``crops``, each ``(H, W)`` uint8, without labels; a picture that is there already is not
    added again.

    Returns:
        The dataset, and the row of each crop.

    Raises:
        UserError: if a dataset of that name is something else, or full.
        ValueError: if a crop has another size than the schema's images.
    """
    with locked(name) as target:
        there = open_dataset(target) if target.exists() else None
        if there is not None and (there.manifest.get("origin"), there.schema) != (ORIGIN, schema):
            raise UserError(
                f"The dataset '{name}' was not made of uploads; rename or remove it to send faces."
            )
        rows, new = _rows_of(crops, there)
        if there is not None and not new:
            return there, rows
        count = 0 if there is None else len(there)
        if count + len(new) > MAX_FACES:
            raise UserError(
                f"The dataset '{name}' is full ({MAX_FACES:,} faces): export it, then remove it."
            )
        identity = uuid.uuid4().hex if there is None else there.manifest["identity"]
        with staged(target) as stage, DatasetWriter(stage, name, schema) as writer:
            if there is not None:
                writer.add_training(there.images[:], there.keypoints[:], there.rows[:])
            images = np.stack([*new]).astype(np.uint8)
            nothing = np.full((len(images), len(schema), 2), np.nan, np.float32)
            writer.add_training(images, nothing, np.arange(count, count + len(images)))
            writer.finish(origin=ORIGIN, identity=identity, sources={}, rejected_rows=0)
        return open_dataset(target), rows


def _rows_of(
    crops: Sequence[NDArray[np.uint8]], there: Dataset | None
) -> tuple[list[int], list[NDArray[np.uint8]]]:
    """The row that each crop has or gets, and those that are new."""
    known = {} if there is None else {image.tobytes(): i for i, image in enumerate(there.images)}
    next_row = 0 if there is None else len(there)
    rows, new = [], []
    for crop in crops:
        row = known.setdefault(crop.tobytes(), next_row)
        if row == next_row:
            new.append(crop)
            next_row += 1
        rows.append(row)
    return rows, new
