"""Whether labels lie to one side of what they mark.

A face and its mirror image show the same points. Where one is laid over the other by what is seen,
labels that lie ``d`` px to the right of what they mark lie ``2 d`` px apart: in the mirror image
they are ``d`` px to the left. Faces turned to one side err one way, those turned to the other side
the other way, so the median over many faces tells ``d``.

It matters where training images are mirrored: a model cannot learn an offset that changes its sign
with every second image, and errs by all of it.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice

import cv2
import numpy as np
from numpy.typing import NDArray

from fkd.keypoints import KeypointSchema
from fkd.progress import Progress, silent

SAMPLE = 1000
"""Images that are looked at, at most, spread over all."""

_LEAST = 0.15
"""px below which an offset is not worth correcting."""
_SIGNIFICANT = 4.0
"""Standard errors that it must amount to."""
_FEWEST = 50
"""Images that it must be measured on."""

_STEPS = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 60, 1e-4)
_MARGIN = 13
"""px around the points that the two pictures are compared in."""
_ALIKE = 0.7
"""Correlation that a face and its mirror image must reach once they lie on each other."""


@dataclass(frozen=True)
class LabelOffset:
    """How far labels lie to the right of what they mark: ``px`` (negative: to the left) with its
    standard error ``error``, told by ``n`` images."""

    px: float
    error: float
    n: int

    @property
    def trusted(self) -> float:
        """``px`` where that is certain and large enough to matter, otherwise 0."""
        sure = self.n >= _FEWEST and abs(self.px) > max(_LEAST, _SIGNIFICANT * self.error)
        return self.px if sure else 0.0


def label_offset(
    images: NDArray[np.uint8],
    keypoints: NDArray[np.floating],
    schema: KeypointSchema,
    progress: Progress = silent,
) -> LabelOffset:
    """Measure it on ``images`` ``(N, H, W)`` with ``keypoints`` ``(N, K, 2)`` px, NaN = missing.

    Pictures are laid over each other by an affine map (ECC; Evangelidis & Psarakis, *IEEE TPAMI*
    30, 2008).
    """
    mirrored = schema.mirror(keypoints)
    both = np.isfinite(keypoints).all(axis=2) & np.isfinite(mirrored).all(axis=2)
    usable = np.flatnonzero(both.sum(axis=1) >= 3)
    chosen = usable[:: max(1, len(usable) // SAMPLE)][:SAMPLE]

    def measure(at: int) -> float | None:
        here = both[at]
        return _apart(np.asarray(images[at]), keypoints[at, here], mirrored[at, here])

    found: list[float] = []
    stage = "comparing faces with their mirror images"
    with ThreadPoolExecutor(2) as pool:  # OpenCV lets go of the interpreter
        rows = iter(chosen.tolist())
        done = 0
        while part := list(islice(rows, 64)):
            found += [away for away in pool.map(measure, part) if away is not None]
            done += len(part)
            progress(stage, done, len(chosen))
    if len(found) < 2:
        return LabelOffset(0.0, float("inf"), len(found))
    half = np.array(found) / 2
    middle = float(np.median(half))
    spread = 1.4826 * float(np.median(np.abs(half - middle)))
    return LabelOffset(middle, 1.2533 * spread / np.sqrt(len(half)), len(half))


def _apart(
    image: NDArray[np.uint8], points: NDArray[np.floating], mirrored: NDArray[np.floating]
) -> float | None:
    """How far ``points`` ``(n, 2)`` of ``image`` ``(H, W)``, carried over to its mirror image by
    what is seen, lie to the right of their labels there, ``mirrored``, on average; None where the
    two pictures do not match."""
    start, _ = cv2.estimateAffinePartial2D(points, mirrored)
    if start is None:
        return None
    mask = np.zeros(image.shape, np.uint8)
    cv2.fillConvexPoly(mask, cv2.convexHull(np.round(points).astype(np.int32)), 255)
    around = cv2.dilate(mask, np.ones((_MARGIN, _MARGIN), np.uint8))
    other = np.ascontiguousarray(image[:, ::-1])
    try:
        alike, found = cv2.findTransformECC(
            image, other, start.astype(np.float32), cv2.MOTION_AFFINE, _STEPS, around, 5
        )
    except cv2.error:  # it did not converge
        return None
    if alike < _ALIKE:
        return None
    carried = points @ found[:, :2].T + found[:, 2]
    return float(np.mean(carried[:, 0] - mirrored[:, 0]))
