"""The face's own frame and the two rasters it is made on.

The frame is the head seen straight on, in units of the inter-ocular distance: the origin midway
between the eyes, ``u`` to the viewer's right (the subject's left), ``v`` down, height ``z`` towards
the viewer. Pigment is painted on the fine *skin* raster, the relief and its light live on the
*relief* raster of half the resolution.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

Image8 = NDArray[np.uint8]
Floats = NDArray[np.float32]

SHIFT = 5
"""Fractional bits of the coordinates given to OpenCV's drawing functions."""


@dataclass(frozen=True)
class Raster:
    """A grid of pixels over the face's frame; ``(u, v)`` falls on index ``origin + scale * uv``."""

    shape: tuple[int, int]
    scale: float
    origin: tuple[float, float]

    @cached_property
    def _origin(self) -> Floats:
        return np.array(self.origin, np.float32)

    @cached_property
    def _fixed_origin(self) -> Floats:
        # Half a step more, so that cutting off the fraction rounds.
        return self._origin * (1 << SHIFT) + np.float32(0.5)

    def index(self, uv: ArrayLike) -> Floats:
        """``(..., 2)`` frame coordinates to ``(..., 2)`` pixel indices ``(x, y)``."""
        return np.asarray(np.asarray(uv, np.float32) * self.scale + self._origin)

    def fixed(self, uv: ArrayLike) -> NDArray[np.int32]:
        """Pixel indices as OpenCV's fixed-point integers with ``SHIFT`` fractional bits."""
        scaled = np.asarray(uv, np.float32) * (self.scale * (1 << SHIFT)) + self._fixed_origin
        return scaled.astype(np.int32)

    def axes(self) -> tuple[Floats, Floats]:
        """The ``u`` of each column and the ``v`` of each row."""
        u = (np.arange(self.shape[1], dtype=np.float32) - self.origin[0]) / self.scale
        v = (np.arange(self.shape[0], dtype=np.float32) - self.origin[1]) / self.scale
        return u.astype(np.float32), v.astype(np.float32)

    def blank(self, value: int = 0) -> Image8:
        return np.full(self.shape, value, np.uint8)

    def fill(self, image: Image8, uv: ArrayLike, value: float) -> None:
        """Fill the polygon ``uv`` ``(n, 2)``, antialiased."""
        cv2.fillPoly(image, [self.fixed(uv)], value, cv2.LINE_AA, SHIFT)

    def stroke(
        self, image: Image8, uv: ArrayLike, value: float, width: float, closed: bool = False
    ) -> None:
        """Draw the polyline ``uv`` ``(n, 2)``; ``width`` in frame units, at least one pixel."""
        thick = max(1, round(width * self.scale))
        cv2.polylines(image, [self.fixed(uv)], closed, value, thick, cv2.LINE_AA, SHIFT)

    def disc(
        self,
        image: Image8,
        center: ArrayLike,
        radii: tuple[float, float],
        value: float,
        angle: float = 0.0,
    ) -> None:
        """Fill an ellipse with the given half axes (frame units) and angle (degrees)."""
        one = self.scale * (1 << SHIFT)
        x, y = self.fixed(center).tolist()
        axes = (round(radii[0] * one), round(radii[1] * one))
        cv2.ellipse(image, (x, y), axes, angle, 0, 360, value, -1, cv2.LINE_AA, SHIFT)


def _rasters(scale: int, half_width: float, top: float, bottom: float) -> tuple[Raster, Raster]:
    """The relief raster at ``scale`` px per unit and the skin raster at twice that.

    A fine index ``i`` lies at the coarse index ``(i + 0.5) / 2 - 0.5``, as ``cv2.resize`` has it.
    """
    width, height = round(2 * half_width * scale), round((bottom - top) * scale)
    origin = ((width - 1) / 2, -top * scale)
    relief = Raster((height, width), scale, origin)
    fine = (2 * origin[0] + 0.5, 2 * origin[1] + 0.5)
    return Raster((2 * height, 2 * width), 2 * scale, fine), relief


SKIN, RELIEF = _rasters(scale=30, half_width=1.6, top=-1.6, bottom=2.0)


def enlarge(image: Image8) -> Image8:
    """An image of the relief raster on the skin raster."""
    return np.asarray(cv2.resize(image, SKIN.shape[::-1], interpolation=cv2.INTER_LINEAR), np.uint8)


def soften(image: Image8, sigma: float) -> Image8:
    """Gaussian blur by ``sigma`` px; in floating point, which OpenCV blurs faster than bytes."""
    side = 2 * round(2.2 * sigma) + 1
    smooth = cv2.GaussianBlur(image.astype(np.float32), (side, side), sigma)
    return np.asarray(cv2.convertScaleAbs(smooth), np.uint8)


def window(points: NDArray[np.float32], margin: float) -> tuple[slice, slice]:
    """The part of the skin raster within ``margin`` frame units of ``points`` ``(n, 2)``."""
    (left, top), (right, bottom) = points.min(axis=0).tolist(), points.max(axis=0).tolist()
    (x, y), s = SKIN.origin, SKIN.scale
    return (
        slice(max(int(y + s * (top - margin)), 0), max(int(y + s * (bottom + margin)) + 1, 1)),
        slice(max(int(x + s * (left - margin)), 0), max(int(x + s * (right + margin)) + 1, 1)),
    )


def multiply(image: Image8, ink: Image8) -> Image8:
    """Darken ``image`` by ``ink``; 255 changes nothing."""
    return np.asarray(cv2.multiply(image, ink, scale=1 / 255), np.uint8)


def mix(image: Image8, over: Image8 | float, opacity: Image8) -> None:
    """Lay ``over`` on ``image`` in place, ``opacity`` 0 to 255."""
    if isinstance(over, np.ndarray):
        shown = cv2.multiply(over, opacity, scale=1 / 255)
    else:
        shown = cv2.convertScaleAbs(opacity, alpha=over / 255)
    cv2.add(cv2.multiply(image, 255 - opacity, scale=1 / 255), shown, dst=image)
