"""The same picture twice: equal byte for byte, or again with another crop, light or compression.

Near-duplicates are sought in two steps. A small descriptor of each image (reduced, normalised,
projected on its principal components) yields its nearest neighbours; each pair found that way is
then laid over each other and compared patch by patch (``registration``).
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import blake2b

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array  # type: ignore[import-untyped]
from scipy.sparse.csgraph import connected_components  # type: ignore[import-untyped]
from scipy.spatial import cKDTree  # type: ignore[import-untyped]

from fkd.progress import Progress, silent
from fkd.statistics.chunks import IMAGES, chunks
from fkd.statistics.registration import SAME_PICTURE, similarity, transfer

_REDUCED = 12
_COMPONENTS = 20
_BASIS_SAMPLE = 4_096
_CANDIDATE = 0.85
_NEIGHBOURS = 8
_APPROXIMATE = 1.0
_FLAT = 2.0
_QUERIES = 1_024
_PAIRS = 1_024

Images = NDArray[np.uint8]


@dataclass(frozen=True)
class Duplicates:
    """Pairs of images that show the same picture. Index ``i >= N`` is test image ``i - N``.

    Attributes:
        a: ``(P,)`` int64, the earlier image of each pair.
        b: ``(P,)`` int64, the later one.
        similarity: ``(P,)`` float32, normalised correlation at the best shift, 1 for equal bytes.
        exact: ``(P,)`` bool, equal byte for byte. Of several equal images each is paired with the
            first only, and the first stands for all in near pairs.
        label_distance: ``(P,)`` float32, px, mean distance of the points that both carry, once
            the crops are laid over each other; NaN without such points and for test images.
        max_label_distance: ``(P,)`` float32, px, the largest of these distances.
        group: ``(N + M,)`` int32, number of the set of images that pairs connect, from 0 in the
            order of first members; -1 for images without a duplicate.
    """

    a: NDArray[np.int64]
    b: NDArray[np.int64]
    similarity: NDArray[np.float32]
    exact: NDArray[np.bool_]
    label_distance: NDArray[np.float32]
    max_label_distance: NDArray[np.float32]
    group: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.a)


class _Stack:
    """Training and test images under one numbering, without a copy of either."""

    def __init__(self, images: Images, test_images: Images | None) -> None:
        self.parts = [images] if test_images is None else [images, test_images]
        self.split = len(images)
        self.total = sum(len(part) for part in self.parts)

    def __getitem__(self, index: int) -> Images:
        if index < self.split:
            image: Images = self.parts[0][index]
        else:
            image = self.parts[-1][index - self.split]
        return image


def find_duplicates(
    images: Images,
    test_images: Images | None = None,
    keypoints: NDArray[np.floating] | None = None,
    progress: Progress = silent,
) -> Duplicates:
    """Find pairs within ``images`` ``(N, H, W)``, within ``test_images`` ``(M, H, W)`` and across.

    Args:
        keypoints: ``(N, K, 2)`` labels of ``images``, to tell how far those of a pair differ.
    """
    stack = _Stack(images, test_images)
    first, descriptor = _describe(stack, progress)
    original = first == np.arange(stack.total)
    usable = np.flatnonzero(original & np.isfinite(descriptor).all(axis=1))
    near, likeness = _near_pairs(stack, _candidates(descriptor, usable, progress), progress)
    # A set of more copies than the neighbours looked at may come out in several pieces: compare
    # one image of each piece with those of the others until none of them join.
    while True:
        pieces = _groups(near[:, 0], near[:, 1], stack.total)
        _, leaders = np.unique(pieces, return_index=True)
        leaders = leaders[pieces[leaders] >= 0]
        joins = _near_pairs(stack, _candidates(descriptor, leaders, silent), silent)
        if not len(joins[0]):
            break
        near = np.concatenate([near, joins[0]])
        likeness = np.concatenate([likeness, joins[1]])
    copies = np.flatnonzero(~original)
    a = np.concatenate([first[copies], near[:, 0]]).astype(np.int64)
    b = np.concatenate([copies, near[:, 1]]).astype(np.int64)
    alike = np.concatenate([np.ones(len(copies)), likeness]).astype(np.float32)
    exact = np.arange(len(a)) < len(copies)
    order = np.lexsort((b, a, -alike, ~exact))
    a, b = a[order], b[order]
    mean, largest = _label_distances(stack, np.stack([a, b], axis=1), exact[order], keypoints)
    return Duplicates(a, b, alike[order], exact[order], mean, largest, _groups(a, b, stack.total))


def _describe(stack: _Stack, progress: Progress) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """For each image the first one of equal bytes, and its descriptor ``(N + M, _COMPONENTS)``:
    NaN for an even image, which shows nothing to compare."""
    seen: dict[bytes, int] = {}
    first = np.empty(stack.total, np.intp)
    descriptor = np.empty((stack.total, _COMPONENTS), np.float32)
    basis = _basis(stack)
    for part in chunks(stack.total, IMAGES, "reading images for duplicates", progress):
        for i in range(part.start, part.stop):
            image = np.ascontiguousarray(stack[i])
            first[i] = seen.setdefault(blake2b(image.data, digest_size=16).digest(), i)
            descriptor[i] = _reduced(image) @ basis
    return first, descriptor


def _reduced(image: Images) -> NDArray[np.float32]:
    """``(_REDUCED**2,)``: the small picture of mean 0 and length 1; NaN for an even image."""
    small = cv2.resize(image, (_REDUCED, _REDUCED), interpolation=cv2.INTER_AREA)
    centred = small.astype(np.float32).ravel()
    centred -= centred.mean()
    length = float(np.linalg.norm(centred))
    return centred / (length if length > _FLAT * _REDUCED else np.float32(np.nan))


def _basis(stack: _Stack) -> NDArray[np.float32]:
    """``(_REDUCED**2, _COMPONENTS)``: the leading principal components of the small pictures."""
    step = max(1, stack.total // _BASIS_SAMPLE)
    sample = np.array([_reduced(stack[i]) for i in range(0, stack.total, step)])
    sample = sample[np.isfinite(sample).all(axis=1)] if len(sample) else sample
    spread = np.cov(sample.T) if len(sample) > 1 else np.eye(_REDUCED**2)
    _, vectors = np.linalg.eigh(spread)
    return np.ascontiguousarray(vectors[:, -_COMPONENTS:], np.float32)


def _near_pairs(
    stack: _Stack, pairs: NDArray[np.int64], progress: Progress
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Those of ``pairs`` ``(C, 2)`` that show the same picture, and their similarity."""
    found, likeness = [np.empty((0, 2), np.int64)], [np.empty(0)]
    # OpenCV computes outside the interpreter's lock, so threads do share the work.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for part in chunks(len(pairs), _PAIRS, "comparing similar images", progress):
            values = np.fromiter(
                pool.map(lambda pair: similarity(stack[pair[0]], stack[pair[1]]), pairs[part]),
                np.float64,
            )
            found.append(pairs[part][values >= SAME_PICTURE])
            likeness.append(values[values >= SAME_PICTURE])
    return np.concatenate(found), np.concatenate(likeness)


def _candidates(
    descriptor: NDArray[np.float32], usable: NDArray[np.intp], progress: Progress
) -> NDArray[np.int64]:
    """``(C, 2)`` pairs of ``usable`` images, the smaller index first, each among the other's
    nearest neighbours or the reverse."""
    if len(usable) < 2:
        return np.empty((0, 2), np.int64)
    points = descriptor[usable]
    tree = cKDTree(points)
    # For vectors of length 1 |u - v|^2 = 2 (1 - correlation), and a projection only shortens it.
    radius = np.sqrt(2 * (1 - _CANDIDATE))
    neighbours = range(2, min(_NEIGHBOURS + 1, len(usable)) + 1)
    keys = [np.empty(0, np.int64)]
    for part in chunks(len(usable), _QUERIES, "looking for similar images", progress):
        _, other = tree.query(
            points[part], neighbours, eps=_APPROXIMATE, distance_upper_bound=radius, workers=-1
        )
        row, column = np.nonzero(other < len(usable))
        here, there = usable[part][row], usable[other[row, column]]
        low, high = np.minimum(here, there), np.maximum(here, there)
        keys.append((low * len(descriptor) + high)[low < high])
    found = np.unique(np.concatenate(keys))
    return np.stack(np.divmod(found, len(descriptor)), axis=1)


def label_differences(
    images: Images | _Stack,
    keypoints: NDArray[np.floating],
    pairs: NDArray[np.int64],
    exact: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """``(P, K, 2)`` px: how far the labels of the first image of each pair ``(P, 2)``, carried
    over to the second one's crop, lie from those of the second; NaN where one lacks the point.

    ``keypoints`` ``(N, K, 2)`` are the labels of ``images``, ``exact`` ``(P,)`` says which pairs
    are equal byte by byte and need not be laid over each other.
    """
    found = np.empty((len(pairs), *keypoints.shape[1:]))
    for p, (a, b) in enumerate(pairs):
        points = np.asarray(keypoints[a], np.float64)
        if not exact[p]:
            points = transfer(images[a], images[b], points)
        found[p] = points - keypoints[b]
    return found


def _label_distances(
    stack: _Stack,
    pairs: NDArray[np.int64],
    exact: NDArray[np.bool_],
    keypoints: NDArray[np.floating] | None,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mean and largest distance in px of the points that both images of each pair ``(P, 2)``
    carry; NaN without such points and for test images."""
    mean = np.full(len(pairs), np.nan, np.float32)
    largest = mean.copy()
    if keypoints is None:
        return mean, largest
    training = np.flatnonzero((pairs < stack.split).all(axis=1))
    differences = label_differences(stack, keypoints, pairs[training], exact[training])
    distance = np.linalg.norm(differences, axis=2)
    known = np.isfinite(distance).any(axis=1)
    mean[training[known]] = np.nanmean(distance[known], axis=1)
    largest[training[known]] = np.nanmax(distance[known], axis=1)
    return mean, largest


def _groups(a: NDArray[np.int64], b: NDArray[np.int64], total: int) -> NDArray[np.int32]:
    links = coo_array((np.ones(len(a), bool), (a, b)), shape=(total, total))
    _, component = connected_components(links, directed=False)
    members = np.bincount(component, minlength=1)[component] if total else component
    group = np.full(total, -1, np.int32)
    linked = np.flatnonzero(members > 1)
    _, first, inverse = np.unique(component[linked], return_index=True, return_inverse=True)
    group[linked] = np.argsort(np.argsort(first))[inverse]
    return group
