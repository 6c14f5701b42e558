"""Where the points lie: summaries per coordinate, points outside the image, densities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd  # type: ignore[import-untyped]
from numpy.typing import NDArray

from fkd.keypoints import KeypointSchema
from fkd.statistics.chunks import IMAGES, ROWS, chunks
from fkd.statistics.missing import SOURCE_NAMES, label_source

STATISTICS = ("count", "mean", "std", "min", "25%", "50%", "75%", "max")
"""Columns of ``coordinate_summary``."""


def coordinate_summary(
    keypoints: NDArray[np.floating], schema: KeypointSchema, by_source: bool = False
) -> pd.DataFrame:
    """One row per coordinate (``name_x``, ``name_y``), columns ``STATISTICS``, in px.

    ``std`` is that of a sample (n - 1); statistics of nothing are NaN. With ``by_source`` the
    index is (source, coordinate), a block for each label source that has points; the sources are
    named as in ``SOURCE_NAMES``.
    """
    if not by_source:
        return _summary(keypoints, schema, None)
    source = label_source(keypoints)
    blocks = {
        name: _summary(keypoints, schema, source == value)
        for value, name in SOURCE_NAMES.items()
        if value >= 0 and (source == value).any()
    }
    if not blocks:
        return _summary(keypoints[:0], schema, None)
    return pd.concat(blocks, names=["source", "coordinate"])


def _summary(
    keypoints: NDArray[np.floating], schema: KeypointSchema, rows: NDArray[np.bool_] | None
) -> pd.DataFrame:
    records = [
        # One column at a time: the table as a whole may not fit in memory twice.
        _describe(keypoints[:, k, axis] if rows is None else keypoints[rows, k, axis])
        for k in range(len(schema))
        for axis in range(2)
    ]
    index = pd.Index(schema.coordinate_names, name="coordinate")
    table = pd.DataFrame(records, columns=list(STATISTICS), index=index)
    return table.astype({"count": np.int64})


def _describe(column: NDArray[np.floating]) -> tuple[float, ...]:
    values = column[np.isfinite(column)].astype(np.float64)
    if not len(values):
        return (0, *[np.nan] * (len(STATISTICS) - 1))
    std = values.std(ddof=1) if len(values) > 1 else np.nan
    return (len(values), values.mean(), std, *np.quantile(values, (0, 0.25, 0.5, 0.75, 1)))


def outside_image(keypoints: NDArray[np.floating], schema: KeypointSchema) -> NDArray[np.bool_]:
    """``(N, K)`` bool: True for points outside ``[-0.5, W - 0.5) x [-0.5, H - 0.5)``, the area
    that the pixels cover. Missing points are not outside."""
    outside = np.empty(keypoints.shape[:2], bool)
    limit = np.array([schema.width, schema.height]) - 0.5
    for rows in chunks(len(keypoints), ROWS):
        part = keypoints[rows]
        beyond = ((part < -0.5) | (part >= limit)).any(axis=2)
        outside[rows] = beyond & np.isfinite(part).all(axis=2)
    return outside


@dataclass(frozen=True)
class PointDensity:
    """Histogram of one keypoint's positions.

    Attributes:
        counts: ``(bins, bins)`` int64, laid out as an image: first axis y downwards, second x.
        x_edges: ``(bins + 1,)`` float64, px.
        y_edges: ``(bins + 1,)`` float64, px.
        outside: points outside the image, which are in no bin.
    """

    counts: NDArray[np.int64]
    x_edges: NDArray[np.float64]
    y_edges: NDArray[np.float64]
    outside: int


def point_density(
    keypoints: NDArray[np.floating], k: int, schema: KeypointSchema, bins: int
) -> PointDensity:
    """Where keypoint ``k`` lies: ``bins`` x ``bins`` equal cells over the image's pixels."""
    height, width = schema.image_size
    points = np.asarray(keypoints[:, k], np.float64)
    points = points[np.isfinite(points).all(axis=1)]
    inside = ((points >= -0.5) & (points < np.array([width, height]) - 0.5)).all(axis=1)
    counts, y_edges, x_edges = np.histogram2d(
        points[inside, 1],
        points[inside, 0],
        bins=bins,
        range=[(-0.5, height - 0.5), (-0.5, width - 0.5)],
    )
    return PointDensity(counts.astype(np.int64), x_edges, y_edges, int((~inside).sum()))


def mean_face(
    images: NDArray[np.uint8], rows: Sequence[int] | NDArray[np.integer]
) -> NDArray[np.float32]:
    """``(H, W)`` float32 mean of ``images[rows]``, in grey values.

    Raises:
        ValueError: if ``rows`` is empty.
    """
    # Ascending, so that a memory-mapped file is read from front to back.
    chosen = np.sort(np.asarray(rows, np.int64))
    if not len(chosen):
        raise ValueError("the mean face of no rows is undefined; pass at least one row")
    total = np.zeros(images.shape[1:], np.float64)
    for part in chunks(len(chosen), IMAGES):
        total += images[chosen[part]].sum(axis=0, dtype=np.float64)
    return (total / len(chosen)).astype(np.float32)
