"""Which keypoints of a demo face are labelled, after the pattern of Kaggle's training file."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fkd.keypoints import KAGGLE_15, KeypointSchema

COMPLETE_SHARE = 1 / 3
"""Share of the rows that come from the fully labelled source."""

INCOMPLETE_SHARE = 0.06
"""Share of the fully labelled source's rows that lack one to three points."""

SPARSE_GAP_SHARE = 0.04
"""Share of the sparsely labelled source's rows that lack one of the few points as well."""

_STREAM = 0x6D697373
"""Keeps these draws apart from the renderer's, which use the same seed and index."""


def _sparse_points(schema: KeypointSchema) -> NDArray[np.intp]:
    """Indices of the points that the sparsely labelled source has."""
    if schema.eye_centers is None:
        raise ValueError(f"schema {schema.name} has no eye centres")
    middle = [schema.index("nose_tip"), schema.index("mouth_center_bottom_lip")]
    return np.array([*schema.eye_centers, *middle])


def kaggle_missingness(
    keypoints: NDArray[np.floating], seed: int, start: int = 0
) -> NDArray[np.float32]:
    """Keypoints with NaN where Kaggle's labellers would have left a gap.

    Kaggle's file mixes two sources: about a third of the rows is labelled completely but for a
    few, the others mostly have the eye centres, the nose tip and the bottom lip only. Here the two
    are interleaved: row ``start + i`` is decided by ``(seed, start + i)`` alone, so that blocks of
    any size give the same rows.

    Args:
        keypoints: ``(N, K, 2)`` in px, the points of ``KAGGLE_15``.
        seed: the demo's seed.
        start: index of the first row.

    Returns:
        ``(N, K, 2)`` float32 copy; the points that remain are not changed.

    Raises:
        ValueError: if the array has another shape.
    """
    count = len(KAGGLE_15)
    labels = np.array(keypoints, dtype=np.float32)
    if labels.ndim != 3 or labels.shape[1:] != (count, 2):
        raise ValueError(f"keypoints must be (N, {count}, 2), not {labels.shape}")
    sparse = _sparse_points(KAGGLE_15)
    for row in range(len(labels)):
        rng = np.random.default_rng([seed, start + row, _STREAM])
        if rng.random() < COMPLETE_SHARE:
            kept = np.arange(count)
            lost = rng.integers(1, 4) if rng.random() < INCOMPLETE_SHARE else 0
        else:
            kept = sparse
            lost = 1 if rng.random() < SPARSE_GAP_SHARE else 0
        missing = np.ones(count, dtype=bool)
        missing[rng.permutation(kept)[lost:]] = False
        labels[row, missing] = np.nan
    return labels
