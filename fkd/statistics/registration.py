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

_DIFFERENT = 0.87
"""Correlation at the best shift below which two images are not registered."""

_COARSE, _FINE = 32, 64
_SHIFT = 3
_PATCH = 9
_MIN_OVERLAP = 0.6
_CRITERIA = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 20, 1e-4)
_EVERYWHERE = np.full((_FINE, _FINE), 255, np.uint8)

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

    The value cannot exceed the correlation of the whole image. Pairs that no shift brings to a
    fair correlation are not registered, and that correlation is returned; -1 where the images
    cannot be laid over each other.
    """
    shift, likeness = _best_shift(a, b)
    if likeness < _DIFFERENT:
        return likeness
    fine_a, fine_b = _fine(a), _fine(b)
    likeness, warp = _align(fine_a, fine_b, shift)
    return likeness if warp is None else min(likeness, _worst_patch(fine_a, fine_b, warp))


def transfer(
    a: NDArray[np.uint8], b: NDArray[np.uint8], points: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Where ``points`` ``(..., 2)`` of image ``a`` (px) lie in ``b``, the same picture cropped
    otherwise; as they are where the two cannot be laid over each other. NaN stays NaN."""
    shift, _ = _best_shift(a, b)
    _, warp = _align(_fine(a), _fine(b), shift)
    if warp is None:
        return np.array(points, np.float64)
    # A pixel's centre is its index, so resizing by s maps index p to (p + 0.5) s - 0.5.
    scale = _FINE / np.array(a.shape[::-1], np.float64)
    fine = (np.asarray(points, np.float64) + 0.5) * scale - 0.5
    moved = fine @ warp[:, :2].T.astype(np.float64) + warp[:, 2]
    return np.asarray((moved + 0.5) / scale - 0.5)


def _align(a: _Plane, b: _Plane, shift: tuple[float, float]) -> tuple[float, _Plane | None]:
    """The affine map from positions in ``a`` to those in ``b``, ``(2, 3)``, sought from ``shift``,
    and how well ``b`` then fits; -1 and None where there is none."""
    warp = np.array([[1, 0, shift[0]], [0, 1, shift[1]]], np.float32)
    try:
        likeness, found = cv2.findTransformECC(
            a, b, warp, cv2.MOTION_AFFINE, _CRITERIA, _EVERYWHERE, 1
        )
    except cv2.error:
        return -1.0, None
    return likeness, np.asarray(found, np.float32)


def _fine(image: NDArray[np.uint8]) -> _Plane:
    """The image at the size compared, smoothed so that noise and compression count little."""
    resized = cv2.resize(image, (_FINE, _FINE), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.GaussianBlur(resized.astype(np.float32), (0, 0), 1.0), np.float32)


def _best_shift(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> tuple[tuple[float, float], float]:
    """How far ``b`` is shifted against ``a``, (x, y) in px of the fine size, and how well it fits
    then: by whole pixels of the coarse size."""
    size = (_COARSE, _COARSE)
    coarse_a = cv2.resize(a, size, interpolation=cv2.INTER_AREA)
    coarse_b = cv2.resize(b, size, interpolation=cv2.INTER_AREA)
    inner = coarse_a[_SHIFT:-_SHIFT, _SHIFT:-_SHIFT]
    match = cv2.matchTemplate(coarse_b, inner, cv2.TM_CCOEFF_NORMED)
    _, best, _, (x, y) = cv2.minMaxLoc(match)
    scale = _FINE / _COARSE
    return ((x - _SHIFT) * scale, (y - _SHIFT) * scale), float(best)


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
