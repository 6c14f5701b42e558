"""Which points are present: counts, patterns, and the label source a row seems to come from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fkd.keypoints import KeypointSchema
from fkd.statistics.chunks import ROWS, chunks

FEW, MANY, NONE = 0, 1, -1
"""Values of ``label_source``."""

SOURCE_NAMES = {MANY: "many-point rows", FEW: "few-point rows", NONE: "rows without points"}
"""What the label sources are called in tables and files, in the order to list them; people see
``source_words``."""

Mask = NDArray[np.bool_]


def present(keypoints: NDArray[np.floating]) -> Mask:
    """``(N, K)`` bool: True where both coordinates of a point are finite.

    ``keypoints`` is ``(N, K, 2)``. A point with one coordinate is no point.
    """
    mask = np.empty(keypoints.shape[:2], bool)
    for rows in chunks(len(keypoints), ROWS):
        mask[rows] = np.isfinite(keypoints[rows]).all(axis=2)
    return mask


def label_source(keypoints: NDArray[np.floating]) -> NDArray[np.int8]:
    """``(N,)`` int8: ``MANY`` (1) for rows with more than half of the points, ``FEW`` (0) for rows
    with some, ``NONE`` (-1) for rows without any.

    Kaggle's file was labelled in two campaigns, one of all points and one of a few, which place
    the shared points differently; the number of points is what tells them apart.
    """
    return _source_of(present(keypoints))


def source_words(n_present: NDArray[np.integer], keypoints: int) -> dict[str, str]:
    """What each of ``SOURCE_NAMES`` is called on screen, such as "4-point source": by the number of
    points that most of its rows have. ``n_present`` ``(N,)`` are the labelled points of each row,
    of so many ``keypoints``."""
    words = {}
    source = _source_of_counts(n_present, keypoints)
    for value, name in SOURCE_NAMES.items():
        rows = n_present[source == value]
        words[name] = f"{np.bincount(rows).argmax()}-point source" if len(rows) else name
    return words | {SOURCE_NAMES[NONE]: "no labelled point"}


def _source_of(mask: Mask) -> NDArray[np.int8]:
    return _source_of_counts(mask.sum(axis=1), mask.shape[1])


def _source_of_counts(n_present: NDArray[np.integer], keypoints: int) -> NDArray[np.int8]:
    source = np.where(2 * n_present.astype(np.int64) > keypoints, MANY, FEW)
    return np.where(n_present == 0, NONE, source).astype(np.int8)


def group_by_pattern(mask: Mask) -> list[tuple[Mask, NDArray[np.intp]]]:
    """Distinct rows of ``mask`` ``(N, K)``, each with the indices of the rows that equal it,
    ascending; the most frequent first, ties in the order of their first row."""
    if mask.size == 0:
        return [(np.zeros(mask.shape[1], bool), np.arange(len(mask)))] if len(mask) else []
    packed = np.ascontiguousarray(np.packbits(mask, axis=1))
    keys = packed.view(np.dtype((np.void, packed.shape[1])))[:, 0]
    _, first, inverse, count = np.unique(
        keys, return_index=True, return_inverse=True, return_counts=True
    )
    members = np.split(np.argsort(inverse, kind="stable"), np.cumsum(count)[:-1])
    order = np.lexsort((first, -count))
    return [(mask[first[i]].copy(), members[i]) for i in order]


@dataclass(frozen=True)
class Missingness:
    """Missing points of a dataset of ``rows`` rows and K points.

    Attributes:
        rows: number of rows.
        complete_rows: rows with every point.
        present_counts: ``(K,)`` int64, rows that carry the point.
        points_per_image: ``(K + 1,)`` int64, rows that carry 0, 1, ... K points.
        patterns: ``(mask (K,) bool, rows)`` of each combination of present points, the most
            frequent first.
        missing_together: ``(K, K)`` float64, ``[i, j]`` the share of the rows lacking point i
            among those lacking point j; NaN where no row lacks j.
        phi: ``(K, K)`` float64, the correlation (phi coefficient) between lacking i and lacking
            j; NaN where a point is always present or never.
        source_rows: rows per label source, the keys those of ``SOURCE_NAMES``.
        names: ``(K,)`` names of the points.
    """

    rows: int
    complete_rows: int
    present_counts: NDArray[np.int64]
    points_per_image: NDArray[np.int64]
    patterns: list[tuple[Mask, int]]
    missing_together: NDArray[np.float64]
    phi: NDArray[np.float64]
    source_rows: dict[int, int]
    names: tuple[str, ...]


def missingness(keypoints: NDArray[np.floating], schema: KeypointSchema) -> Missingness:
    """Count the missing points of ``keypoints`` ``(N, K, 2)``.

    Raises:
        ValueError: if ``keypoints`` has another number of points than ``schema``.
    """
    if keypoints.shape[1:] != (len(schema), 2):
        raise ValueError(
            f"keypoints are {keypoints.shape}, schema {schema.name} needs (N, {len(schema)}, 2)"
        )
    mask = present(keypoints)
    rows = len(mask)
    points_per_image = np.bincount(mask.sum(axis=1), minlength=len(schema) + 1)
    together, phi = _joint_missing(mask)
    sources = _source_of(mask)
    return Missingness(
        rows=rows,
        complete_rows=int(points_per_image[-1]),
        present_counts=mask.sum(axis=0),
        points_per_image=points_per_image,
        patterns=[(pattern, len(members)) for pattern, members in group_by_pattern(mask)],
        missing_together=together,
        phi=phi,
        source_rows={source: int((sources == source).sum()) for source in SOURCE_NAMES},
        names=schema.names,
    )


def _joint_missing(mask: Mask) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """``missing_together`` and ``phi`` of a presence mask, from the joint counts."""
    rows, points = mask.shape
    both = np.zeros((points, points))
    for part in chunks(rows, ROWS):
        lacking = (~mask[part]).astype(np.float32)
        both += lacking.T @ lacking
    single = np.diag(both)
    with np.errstate(divide="ignore", invalid="ignore"):
        together = both / single[None, :]
        spread = np.sqrt(single * (rows - single))
        phi = (rows * both - np.outer(single, single)) / np.outer(spread, spread)
    return np.where(np.isfinite(together), together, np.nan), np.where(
        np.isfinite(phi), phi, np.nan
    )
