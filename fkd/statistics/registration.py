"""Whether two images are the same picture: laid over each other, then compared patch by patch."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

SAME_PICTURE = 0.96
"""Similarity from which two images count as the same picture.

Chosen by looking at pairs of frames from videos of faces, cropped anew each time. From 0.96 on a
person calls nearly all of them the same picture; at 0.95 blinks and moving lips begin to show, and
at 0.93 most pairs are neighbouring frames. Pairs of different people stay far below.
"""

_DIFFERENT = 0.88
"""Correlation at the best shift below which two images are not registered."""

_COARSE, _FINE = 32, 64
_SHIFT = 3
_PATCH = 9
_MIN_OVERLAP = 0.6
_STEPS = {_COARSE: (3, 15, 1e-3), _FINE: (3, 30, 1e-5)}

_Plane = NDArray[np.float32]


def similarity(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> float:
    """How alike two images ``(H, W)`` are in the patch where they differ most: 1 for the same
    picture, whatever its brightness and contrast.

    ``b`` is laid over ``a`` by the affine map of largest correlation (ECC: G. Evangelidis and
    E. Psarakis, "Parametric image alignment using enhanced correlation coefficient maximization",
    IEEE TPAMI 30, 2008), so that a crop shifted, scaled or turned a little is no difference. The
    value is 1 - d / 2, d the mean squared difference of the normalised grey values in the worst
    patch of about a seventh of the image's side: a blink or another mouth lowers it, where the
    correlation of the whole image would hardly show them. It is not symmetric to the last digit.

    The worst patch is at most as alike as the whole. So where the whole stays below
    ``SAME_PICTURE`` at a coarser look, that correlation is returned, which saves most of the time
    with different pictures; -1 where the images cannot be laid over each other.
    """
    coarse_a, coarse_b = _plane(a, _COARSE), _plane(b, _COARSE)
    warp, likeness = _best_shift(coarse_a, coarse_b)
    if likeness < _DIFFERENT:
        return likeness
    warp, likeness = _register(coarse_a, coarse_b, warp)
    if likeness < SAME_PICTURE:
        return likeness
    warp[:, 2] *= _FINE / _COARSE
    fine_a, fine_b = _plane(a, _FINE), _plane(b, _FINE)
    warp, likeness = _register(fine_a, fine_b, warp)
    return min(likeness, _worst_patch(fine_a, fine_b, warp))


def _plane(image: NDArray[np.uint8], size: int) -> _Plane:
    """The image at the size compared; the finer one is smoothed, so that noise and compression
    count little."""
    resized = cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA)
    plane = np.asarray(resized, np.float32)
    return plane if size == _COARSE else np.asarray(cv2.GaussianBlur(plane, (0, 0), 1.0))


def _best_shift(a: _Plane, b: _Plane) -> tuple[_Plane, float]:
    """The map of ``a`` into ``b`` by whole pixels that fits best, and its correlation."""
    inner = a[_SHIFT:-_SHIFT, _SHIFT:-_SHIFT]
    _, best, _, (x, y) = cv2.minMaxLoc(cv2.matchTemplate(b, inner, cv2.TM_CCOEFF_NORMED))
    return np.array([[1, 0, x - _SHIFT], [0, 1, y - _SHIFT]], np.float32), float(best)


def _register(a: _Plane, b: _Plane, warp: _Plane) -> tuple[_Plane, float]:
    """The affine map of ``a`` into ``b`` near ``warp``, and its correlation; -1 if there is
    none."""
    everywhere = np.full(a.shape, 255, np.uint8)
    try:
        likeness, found = cv2.findTransformECC(
            a, b, warp, cv2.MOTION_AFFINE, _STEPS[len(a)], everywhere, 1
        )
    except cv2.error:
        return warp, -1.0
    return np.asarray(found, np.float32), float(likeness)


def _worst_patch(a: _Plane, b: _Plane, warp: _Plane) -> float:
    size, flags = a.shape[::-1], cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    laid = np.asarray(cv2.warpAffine(b, warp, size, flags=flags), np.float32)
    # Where part of a pixel comes from outside b there is nothing to compare.
    overlap = np.asarray(cv2.warpAffine(np.ones_like(b), warp, size, flags=flags)) > 0.999
    if overlap.mean() < _MIN_OVERLAP:
        return -1.0
    difference = np.zeros_like(a)
    difference[overlap] = _normalised(a[overlap]) - _normalised(laid[overlap])
    return float(1 - cv2.blur(difference**2, (_PATCH, _PATCH)).max() / 2)


def _normalised(values: _Plane) -> _Plane:
    centred = values - values.mean()
    return np.asarray(centred / max(float(centred.std()), 1e-6), np.float32)
