"""Noise patterns, made once and cut at random places: drawing them per face would take longest."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from fkd.synthetic.canvas import Floats, Image8

SIDE = 512
"""Side of the square patterns, px; a cut must be smaller."""


SPREAD = 40
"""Standard deviation of the patterns in grey values, around ``MIDDLE``."""

MIDDLE = 128


def _standard(pattern: NDArray[Any]) -> Floats:
    """Zero mean, unit variance."""
    return np.asarray((pattern - pattern.mean()) / pattern.std(), np.float32)


def _grey(pattern: NDArray[Any]) -> Image8:
    return np.clip(np.rint(_standard(pattern) * SPREAD + MIDDLE), 0, 255).astype(np.uint8)


@lru_cache(maxsize=1)
def patterns() -> dict[str, Image8]:
    """The patterns by name, each ``(SIDE, SIDE)`` uint8 about ``MIDDLE``.

    ``grain``: white noise; ``blotch``: octaves of smooth noise; ``strand``: streaks along the
    columns; ``curl``: blobs with light rims, like curls.
    """
    rng = np.random.default_rng(20130507)

    def smooth(sigma_x: float, sigma_y: float) -> Floats:
        white = rng.standard_normal((SIDE, SIDE)).astype(np.float32)
        return _standard(
            cv2.GaussianBlur(white, (0, 0), sigma_x, sigmaY=sigma_y, borderType=cv2.BORDER_REFLECT)
        )

    blotch = smooth(2, 2) + 1.3 * smooth(5, 5) + 1.5 * smooth(12, 12)
    strand = 0.5 * smooth(0.7, 9) + smooth(1.4, 22) + 1.2 * smooth(4.5, 45)
    curl = np.abs(smooth(2.6, 2.6)) - 0.6 * np.abs(smooth(1.6, 1.6)) + 0.4 * smooth(7, 7)
    return {
        "grain": _grey(rng.standard_normal((SIDE, SIDE))),
        "blotch": _grey(blotch),
        "strand": _grey(strand),
        "curl": _grey(curl),
    }


RAY_REACH = 300
"""Half side of the pattern of rays, px."""


@lru_cache(maxsize=1)
def rays() -> Image8:
    """Strands that spread from the middle of a square, like hair from its parting."""
    y, x = np.mgrid[-RAY_REACH:RAY_REACH, -RAY_REACH:RAY_REACH].astype(np.float32)
    angle = np.arctan2(y, x) * np.float32(SIDE / (2 * np.pi)) + np.float32(SIDE / 2)
    radius = np.hypot(x, y)
    # A wave in the angle keeps the strands from being ruled lines.
    angle += 3 * np.sin(radius / 31) + 2 * np.sin(radius / 13 + angle / 20)
    strand = patterns()["strand"]
    spread = cv2.remap(strand, angle, radius, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    return np.asarray(spread, np.uint8)


def cut_rays(shape: tuple[int, int], middle: Floats, rng: np.random.Generator) -> Image8:
    """A view of the rays that spread from index ``middle`` ``(x, y)``; not to be written."""
    y = int(np.clip(RAY_REACH - middle[1], 0, 2 * RAY_REACH - shape[0]))
    x = int(np.clip(RAY_REACH - middle[0], 0, 2 * RAY_REACH - shape[1]))
    piece = rays()[y : y + shape[0], x : x + shape[1]]
    return np.asarray(piece[:, ::-1] if rng.random() < 0.5 else piece)


def cut(name: str, shape: tuple[int, int], rng: np.random.Generator) -> Image8:
    """A view of ``shape`` at a random place of a pattern, perhaps mirrored; not to be written."""
    pattern = patterns()[name]
    y = int(rng.integers(0, SIDE - shape[0]))
    x = int(rng.integers(0, SIDE - shape[1]))
    piece = pattern[y : y + shape[0], x : x + shape[1]]
    return piece[:, ::-1] if rng.random() < 0.5 else piece


def varied(pattern: Image8, mean: float, std: float) -> Image8:
    """The pattern with another mean and standard deviation, in grey values."""
    gain = std / SPREAD
    # Values below 0 come out positive: dark hair glints, and a table look-up takes far longer.
    return np.asarray(cv2.convertScaleAbs(pattern, alpha=gain, beta=mean - gain * MIDDLE), np.uint8)
