"""All metrics of a set of predictions as one value, for all rows and for each label source."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fkd.evaluation import metrics
from fkd.evaluation.learned import counting
from fkd.evaluation.metrics import Points, Values
from fkd.keypoints import KeypointSchema
from fkd.statistics.missing import FEW, MANY, SOURCE_NAMES, label_source

ALL_ROWS = "all rows"
"""The key of all rows together in ``score_by_source``."""


@dataclass(frozen=True)
class KeypointScore:
    """The errors of one keypoint over the ``n`` images that have it labelled; px, and a fraction
    for ``pck_10``."""

    name: str
    n: int
    rmse_px: float
    mae_px: float
    mean_error_px: float
    median_error_px: float
    pck_10: float


@dataclass(frozen=True)
class Scores:
    """What ``metrics`` says of a set of predictions; NaN where there is nothing to say.

    Attributes:
        n_images: images with at least one labelled point.
        n_points, n_coordinates: labelled points, and twice as many coordinates.
        rmse_px, mae_px: over all labelled coordinates.
        nme: mean over the images that have one, as a fraction of the distance between the eye
            centres.
        nme_images: how many images have one; ``auc_08`` and ``fr_10`` are over the same.
        auc_08: area under the cumulative error distribution up to an NME of 0.08.
        fr_10: share of images with an NME above 0.10.
        pck_05, pck_10: share of points within 0.05 and 0.10 of the distance between the eyes.
        per_keypoint: the same of each keypoint, in the order of the schema.
    """

    n_images: int
    n_points: int
    n_coordinates: int
    rmse_px: float
    mae_px: float
    nme: float
    nme_images: int
    auc_08: float
    fr_10: float
    pck_05: float
    pck_10: float
    per_keypoint: tuple[KeypointScore, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain numbers by the names of the attributes, None for NaN; ``per_keypoint`` is a
        dictionary of them by name."""
        points = {point.name: _plain(point) for point in self.per_keypoint}
        return {**_plain(self), "per_keypoint": points}


def _plain(value: Scores | KeypointScore) -> dict[str, float | None]:
    numbers = ((f.name, getattr(value, f.name)) for f in fields(value))
    return {
        name: None if math.isnan(number) else number
        for name, number in numbers
        if isinstance(number, int | float)
    }


def score(predicted: Points, truth: Points, schema: KeypointSchema) -> Scores:
    """Score ``predicted`` against ``truth``, each ``(N, K, 2)`` in px; see ``metrics``.

    Raises:
        ValueError: when the shapes differ or are not those of ``schema``, or a prediction that
            counts is not finite.
    """
    if truth.shape[1:] != (len(schema), 2):
        raise ValueError(f"points are {truth.shape}, schema {schema.name} has {len(schema)} points")
    errors = metrics.point_errors(predicted, truth)
    eyes = metrics.inter_ocular(truth, schema)
    nme = metrics.nme(predicted, truth, schema)
    labelled = ~np.isnan(errors)
    points = int(labelled.sum())
    return Scores(
        n_images=int(labelled.any(axis=1).sum()),
        n_points=points,
        n_coordinates=2 * points,
        rmse_px=metrics.rmse(predicted, truth),
        mae_px=metrics.mae(predicted, truth),
        nme=metrics.mean(nme),
        nme_images=int(np.isfinite(nme).sum()),
        auc_08=metrics.auc(nme, 0.08),
        fr_10=metrics.failure_rate(nme, 0.10),
        pck_05=metrics.pck(errors, eyes, 0.05),
        pck_10=metrics.pck(errors, eyes, 0.10),
        per_keypoint=tuple(
            _score_keypoint(name, predicted[:, k : k + 1], truth[:, k : k + 1], eyes)
            for k, name in enumerate(schema.names)
        ),
    )


def _score_keypoint(name: str, predicted: Points, truth: Points, eyes: Values) -> KeypointScore:
    errors = metrics.point_errors(predicted, truth)
    return KeypointScore(
        name=name,
        n=int((~np.isnan(errors)).sum()),
        rmse_px=metrics.rmse(predicted, truth),
        mae_px=metrics.mae(predicted, truth),
        mean_error_px=metrics.mean(errors),
        median_error_px=metrics.median(errors),
        pck_10=metrics.pck(errors, eyes, 0.10),
    )


def score_by_source(
    predicted: Points,
    truth: Points,
    schema: KeypointSchema,
    taught: NDArray[np.bool_] | None = None,
) -> dict[str, Scores]:
    """``score`` of all rows (``ALL_ROWS``), of the many-point rows and of the few-point rows
    (``SOURCE_NAMES``), in this order; the label source is told from ``truth``. With ``taught``
    ``(K,)``, only these keypoints count.

    Raises:
        ValueError: as ``score``.
    """
    source = label_source(truth)
    if taught is not None:
        truth = counting(truth, taught)
    scores = {ALL_ROWS: score(predicted, truth, schema)}
    for value in (MANY, FEW):
        rows = source == value
        scores[SOURCE_NAMES[value]] = score(predicted[rows], truth[rows], schema)
    return scores
