"""Which keypoints a model has learned at all, and what follows for those that it has not.

A model gives a place for every point, also for one that no image of its training had a label of:
then that place means nothing. It is withheld where predictions come from the model (NaN), and
labels of such points do not count where it is scored.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fkd.keypoints import KeypointSchema

Mask = NDArray[np.bool_]


def taught(learned: NDArray[np.int64] | None, keypoints: int) -> Mask:
    """``(K,)`` which of ``keypoints`` points a model has learned, by how many labels of each
    ``(K,)`` it learned from; all of them where that is not known (None)."""
    return np.ones(keypoints, bool) if learned is None else np.asarray(learned > 0)


def withheld(output: NDArray[Any], taught: Mask) -> NDArray[Any]:
    """A model's ``output`` ``(..., K, 2 or 3)``, floating, with NaN at the points that are not
    ``taught`` ``(K,)``; a copy where there are such points."""
    if taught.all():
        return output
    return np.where(taught[:, None], output, np.array(np.nan, output.dtype))


def counting(truth: NDArray[Any], taught: Mask) -> NDArray[Any]:
    """The labels ``truth`` ``(N, K, 2)`` that count where a model is scored: those of points that
    are not ``taught`` ``(K,)`` become NaN, as if they were missing."""
    return withheld(truth, taught)


def with_mirrored(
    labels: NDArray[np.integer], flip: bool, schema: KeypointSchema
) -> NDArray[np.int64]:
    """``(K,)`` from how many labels each keypoint is learned, where a training has ``labels``
    ``(K,)`` of it. With ``flip``, images are mirrored in training: a point that nobody labelled is
    then learned from the labels of its mirror partner."""
    counts = np.asarray(labels, np.int64)
    return np.where(counts > 0, counts, counts[schema.mirror_order]) if flip else counts


def names(points: Mask, schema: KeypointSchema) -> list[str]:
    """What those of ``points`` ``(K,)`` are called in words."""
    return [schema.keypoints[k].label for k in np.flatnonzero(points)]


def listed(words: Iterable[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    *others, last = words
    return f"{', '.join(others)} and {last}" if others else last


def not_scored(taught: Mask, schema: KeypointSchema, models: int = 1) -> str:
    """The sentence that says which points are not scored; empty if all are ``taught`` ``(K,)``:
    learned by each of so many ``models``."""
    if taught.all():
        return ""
    found = names(~taught, schema)
    points = "1 point" if len(found) == 1 else f"{len(found)} points"
    who = "the model" if models == 1 else "one of the models"
    return f"Not scored: {points} that {who} never learned from a label: {listed(found)}."


def never_learned(taught: Mask, schema: KeypointSchema) -> str:
    """The sentence about a training that does not teach all points; empty if all are ``taught``
    ``(K,)``."""
    if taught.all():
        return ""
    found = names(~taught, schema)
    points, them = ("1 point is", "it") if len(found) == 1 else (f"{len(found)} points are", "them")
    return f"{points} never learned, as no training row labels {them}: {listed(found)}."
