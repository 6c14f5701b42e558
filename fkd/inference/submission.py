"""Answers to the competition: predicted coordinates of the test images, in the order asked for."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fkd.dataset import Dataset
from fkd.errors import UserError
from fkd.formats.kaggle_tables import Submission, full_lookup
from fkd.inference.pipeline import Pipeline
from fkd.progress import Progress, silent

_AT_A_TIME = 256


def make_submission(
    pipeline: Pipeline, dataset: Dataset, progress: Progress = silent
) -> Submission:
    """Every coordinate that the lookup table of ``dataset`` asks for, in its order, cut off at the
    image's edges; without a lookup table, every coordinate of every test image.

    Raises:
        UserError: if there are no test images, the table asks for others, or the model is for
            images or keypoints of another kind.
    """
    if not len(dataset.test_images):
        raise UserError(
            f"Dataset '{dataset.name}' has no test images; ingest it with --test test.zip."
        )
    if dataset.schema != pipeline.schema:
        raise UserError(
            f"The model is for {pipeline.schema.name}, dataset '{dataset.name}' for "
            f"{dataset.schema.name}."
        )
    blocks = []
    for start in range(0, len(dataset.test_images), _AT_A_TIME):
        images = np.asarray(dataset.test_images[start : start + _AT_A_TIME])
        blocks.append(pipeline.crops(images)[0])
        progress("predicting", start + len(blocks[-1]), len(dataset.test_images))
    return answers(dataset, np.concatenate(blocks))


def answers(dataset: Dataset, points: NDArray[np.floating]) -> Submission:
    """``points`` ``(M, K, 2)`` of the test images of ``dataset`` as a submission."""
    schema, ids = dataset.schema, np.asarray(dataset.test_image_ids)
    lookup = dataset.lookup if dataset.lookup is not None else full_lookup(ids, schema)
    order = np.argsort(ids)
    at = order[np.searchsorted(ids, lookup.image_ids, sorter=order).clip(max=len(ids) - 1)]
    if (unknown := np.flatnonzero(ids[at] != lookup.image_ids)).size:
        raise UserError(
            f"The lookup table asks for image {lookup.image_ids[unknown[0]]} (row id "
            f"{lookup.row_ids[unknown[0]]}), which is not among the test images."
        )
    asked = points.reshape(len(points), -1)[at, lookup.coordinates].astype(np.float64)
    if (odd := np.flatnonzero(~np.isfinite(asked))).size:
        raise UserError(
            f"The model predicts no finite number for row id {lookup.row_ids[odd[0]]}; its "
            "training went astray: take another."
        )
    limits = np.tile((schema.width, schema.height), len(schema))[lookup.coordinates]
    return Submission(np.asarray(lookup.row_ids), asked.clip(0, limits))
