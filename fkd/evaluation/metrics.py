"""The metrics, each in one place.

``predicted`` and ``truth`` are ``(N, K, 2)`` in px of the image. A point of ``truth`` without two
finite coordinates is missing and never counts, whatever is predicted there; where a point is
labelled the prediction must be finite. Metrics of nothing are NaN. Everything is computed in
float64.

All functions that take both arrays raise ``ValueError`` when their shapes differ or a prediction
that counts is not finite, naming the image and the keypoint.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fkd.keypoints import KeypointSchema
from fkd.statistics.missing import present

Points = NDArray[np.floating]
Values = NDArray[np.float64]


def rmse(predicted: Points, truth: Points) -> float:
    """Root of the mean squared error in px over all labelled coordinates, x and y apart: Kaggle's
    score."""
    return float(np.sqrt(mean(_differences(predicted, truth) ** 2)))


def mae(predicted: Points, truth: Points) -> float:
    """Mean absolute error in px over the coordinates that ``rmse`` counts."""
    return mean(np.abs(_differences(predicted, truth)))


def point_errors(predicted: Points, truth: Points) -> Values:
    """``(N, K)`` Euclidean distances in px; NaN where a label is missing."""
    difference = _differences(predicted, truth)
    return np.hypot(difference[..., 0], difference[..., 1])


def image_errors(predicted: Points, truth: Points) -> Values:
    """``(N,)`` the mean point error of each image in px; NaN where nothing is labelled."""
    return _image_means(point_errors(predicted, truth))


def inter_ocular(truth: Points, schema: KeypointSchema) -> Values:
    """``(N,)`` distances in px between the labelled eye centres, ``schema.eye_centers``; NaN
    where one is missing or both are the same point."""
    if schema.eye_centers is None:
        return np.full(len(truth), np.nan)
    eyes = truth[:, list(schema.eye_centers)]
    between = np.asarray(eyes[:, 1] - eyes[:, 0], np.float64)
    distance = np.hypot(between[:, 0], between[:, 1])
    return np.where(np.isfinite(distance) & (distance > 0), distance, np.nan)


def nme(predicted: Points, truth: Points, schema: KeypointSchema) -> Values:
    """``(N,)`` normalised mean error: mean of an image's point errors over its inter-ocular
    distance, as a fraction; NaN without that distance."""
    return image_errors(predicted, truth) / inter_ocular(truth, schema)


def ced(nme: Values, at: ArrayLike) -> Values:
    """Cumulative error distribution: for each value of ``at`` the share of images with an NME of
    at most that; of the shape of ``at``. Images without an NME do not count."""
    known = np.sort(nme[np.isfinite(nme)])
    at = np.asarray(at, np.float64)
    if not len(known):
        return np.full(at.shape, np.nan)
    return np.asarray(np.searchsorted(known, at, side="right") / len(known))


def auc(nme: Values, limit: float = 0.08) -> float:
    """Area under the cumulative error distribution up to ``limit``, over ``limit``: 1 if no image
    has an error.

    Exact: the curve is a sum of steps, and the step of an image with error e covers the area from
    e to the limit.
    """
    return mean(np.maximum(limit - nme, 0) / limit)


def failure_rate(nme: Values, limit: float = 0.10) -> float:
    """Share of images with an NME above ``limit``; images without an NME do not count."""
    return mean(nme[np.isfinite(nme)] > limit)


def pck(point_errors: Values, inter_ocular: Values, t: float) -> float:
    """Percentage of correct keypoints as a fraction: share of the points ``(N, K)`` whose error is
    at most ``t`` times the inter-ocular distance ``(N,)`` of their image. Points of images
    without that distance do not count."""
    share = point_errors / inter_ocular[:, None]
    return mean(share[np.isfinite(share)] <= t)


def mean(values: ArrayLike) -> float:
    """Mean of the values that are not NaN; NaN if there is none."""
    known = _known(values)
    return float(known.mean()) if known.size else float("nan")


def median(values: ArrayLike) -> float:
    """Median of the values that are not NaN; NaN if there is none."""
    known = _known(values)
    return float(np.median(known)) if known.size else float("nan")


def _known(values: ArrayLike) -> Values:
    values = np.asarray(values, np.float64)
    return np.asarray(values[~np.isnan(values)])


def _image_means(values: Values) -> Values:
    """``(N,)`` means over the values ``(N, ...)`` that are not NaN."""
    here = ~np.isnan(values)
    others = tuple(range(1, values.ndim))
    count = here.sum(axis=others)
    total = np.where(here, values, 0).sum(axis=others)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _differences(predicted: Points, truth: Points) -> Values:
    """``(N, K, 2)`` predicted minus true coordinates; NaN at points that are not labelled."""
    if predicted.shape != truth.shape or truth.ndim != 3 or truth.shape[2] != 2:
        raise ValueError(
            f"predicted and true points must both be (N, K, 2), not {predicted.shape} and "
            f"{truth.shape}"
        )
    counts = present(truth)
    if (odd := np.argwhere(counts & ~present(predicted))).size:
        image, keypoint = odd[0]
        raise ValueError(
            f"the prediction of image {image}, keypoint {keypoint} is not finite: "
            f"{predicted[image, keypoint].tolist()}"
        )
    # What is not compared may be of any size: subtracting infinities would warn.
    wanted = np.where(counts[..., None], predicted, np.nan).astype(np.float64)
    return wanted - np.where(counts[..., None], truth, np.nan).astype(np.float64)
