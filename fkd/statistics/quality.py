"""Brightness, contrast and sharpness of images, and the images that stand out by them."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from fkd.progress import Progress, silent
from fkd.statistics.chunks import IMAGES, chunks


@dataclass(frozen=True)
class ImageQuality:
    """Three figures per image, each ``(N,)`` float32.

    Attributes:
        brightness: mean grey value, 0 to 255.
        contrast: standard deviation of the grey values.
        sharpness: log10((variance of the Laplacian + 0.01) / (variance of the grey values + 1)),
            about -2 for a blurred or an even image, -1 for a sharp one. The variance of the
            Laplacian (J. L. Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy",
            ICPR 2000) alone ranks dull but sharp images lowest; divided by the contrast it ranks
            by blur.
    """

    brightness: NDArray[np.float32]
    contrast: NDArray[np.float32]
    sharpness: NDArray[np.float32]


def image_quality(images: NDArray[np.uint8], progress: Progress = silent) -> ImageQuality:
    """Measure ``images`` ``(N, H, W)``."""
    figures = np.empty((3, len(images)), np.float32)
    for part in chunks(len(images), IMAGES, "measuring images", progress):
        for i, image in enumerate(images[part], part.start):
            mean, std = cv2.meanStdDev(image)
            _, edge = cv2.meanStdDev(cv2.Laplacian(image, cv2.CV_16S))
            sharpness = np.log10((edge[0, 0] ** 2 + 0.01) / (std[0, 0] ** 2 + 1))
            figures[:, i] = mean[0, 0], std[0, 0], sharpness
    return ImageQuality(*figures)


@dataclass(frozen=True)
class OddImages:
    """Images that stand out, each ``(N,)`` bool."""

    too_dark: NDArray[np.bool_]
    too_bright: NDArray[np.bool_]
    flat: NDArray[np.bool_]
    blurred: NDArray[np.bool_]

    @property
    def any(self) -> NDArray[np.bool_]:
        """``(N,)`` bool, odd in any respect."""
        return self.too_dark | self.too_bright | self.flat | self.blurred


ROBUST_Z = 3.5
"""How many robust standard deviations off the median is odd (Iglewicz and Hoaglin, 1993)."""

DARK, BRIGHT = 40.0, 215.0
"""Mean grey values beyond which an image is too dark or too bright in any dataset."""

FLAT_CONTRAST = 15.0
"""Contrast under which a face is hardly told from its background."""


BLURRED_SHARPNESS = -1.85
"""Sharpness under which faces looked at were without exception soft."""


def odd_images(quality: ImageQuality) -> OddImages:
    """Flag images beyond the fixed limits of this module or far off the rest of the dataset."""
    # The least spreads keep near-equal images from being odd by a hair's breadth.
    brightness = robust_z(quality.brightness, 10.0)
    contrast = robust_z(quality.contrast, 5.0)
    sharpness = robust_z(quality.sharpness, 0.1)
    return OddImages(
        too_dark=(brightness < -ROBUST_Z) | (quality.brightness < DARK),
        too_bright=(brightness > ROBUST_Z) | (quality.brightness > BRIGHT),
        flat=(contrast < -ROBUST_Z) | (quality.contrast < FLAT_CONTRAST),
        blurred=(sharpness < -ROBUST_Z) | (quality.sharpness < BLURRED_SHARPNESS),
    )


def robust_z(values: NDArray[np.floating], least_spread: float) -> NDArray[np.float64]:
    """Distance from the median in robust standard deviations: 1.4826 times the median absolute
    deviation, but at least ``least_spread``."""
    away = np.asarray(values, np.float64)
    if len(away):
        away = away - np.median(away)
        return away / max(1.4826 * float(np.median(np.abs(away))), least_spread)
    return away
