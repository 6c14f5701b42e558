"""Answers to the competition: predicted coordinates of the test images, in the order asked for."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fkd.dataset import Dataset, Lookup
from fkd.errors import UserError
from fkd.evaluation.learned import listed, names
from fkd.formats.kaggle_tables import Submission, full_lookup
from fkd.inference.pipeline import Pipeline
from fkd.progress import Progress, silent

_AT_A_TIME = 256


def make_submission(
    pipeline: Pipeline, dataset: Dataset, progress: Progress = silent
) -> Submission:
    """Every coordinate that the lookup table of ``dataset`` asks for, in its order, cut off at the
    image's edges; if none was given, every coordinate of every test image.

    Raises:
        UserError: if there are no test images, the table has no rows left or asks for other
            images, or the model is for images or keypoints of another kind or has never learned a
            point that is asked for.
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
    _check_learned(pipeline, dataset)
    blocks = []
    for start in range(0, len(dataset.test_images), _AT_A_TIME):
        images = np.asarray(dataset.test_images[start : start + _AT_A_TIME])
        blocks.append(pipeline.crops(images)[0])
        progress("predicting", start + len(blocks[-1]), len(dataset.test_images))
    return answers(dataset, np.concatenate(blocks))


def _check_learned(pipeline: Pipeline, dataset: Dataset) -> None:
    """Before anything is predicted: a guess at a point that was never learned is no answer."""
    asked = np.zeros(len(dataset.schema), bool)
    asked[_lookup(dataset).coordinates // 2] = True
    if not (lacking := asked & ~pipeline.reference.taught).any():
        return
    points = listed(names(lacking, dataset.schema))
    raise UserError(
        f"The submission asks for points that the model never learned from a label: {points}. "
        "Train on rows that label them, or take another model."
    )


def _lookup(dataset: Dataset) -> Lookup:
    """What to answer. A table that was given is never made up for by another one, whose row ids
    would mean something else."""
    if dataset.lookup is None:
        return full_lookup(np.asarray(dataset.test_image_ids), dataset.schema)
    if not len(dataset.lookup):
        raise UserError(
            f"The lookup table of dataset '{dataset.name}' has no rows left: ingest it again with "
            "a good one."
        )
    return dataset.lookup


def answers(dataset: Dataset, points: NDArray[np.floating]) -> Submission:
    """``points`` ``(M, K, 2)`` of the test images of ``dataset``, px, as a submission.

    Raises:
        UserError: if the lookup table has no rows left or asks for other images, or a point that
            is asked for is not finite.
    """
    schema, ids = dataset.schema, np.asarray(dataset.test_image_ids)
    lookup = _lookup(dataset)
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
