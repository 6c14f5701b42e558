"""How the head is held, and the way between the face's frame and the picture.

The camera is far away (orthographic): a surface point ``(u, v, z)`` appears at
``offset + scale * (R @ (u, v, z))[:2]`` for a rotation ``R``.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, hypot, radians, sin
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from fkd.synthetic.canvas import RELIEF, Floats

_TOP = np.float32(0.45)
"""About the height of a nose's tip."""

_MIDDLE = 0.6
"""Half width of the part of the frame in which no head that is turned has its silhouette."""


@dataclass(frozen=True)
class Pose:
    """Rotation ``(3, 3)`` of the head, ``scale`` px per unit, ``offset`` px."""

    rotation: NDArray[np.float64]
    scale: float
    offset: tuple[float, float]

    def project(self, points: NDArray[np.floating]) -> NDArray[np.float64]:
        """``(n, 3)`` points ``(u, v, z)`` to ``(n, 2)`` px."""
        flat = points @ self.rotation[:2].T
        return np.asarray(flat * self.scale + np.array(self.offset))


def rotation(yaw: float, pitch: float, roll: float) -> NDArray[np.float64]:
    """Turn about the vertical axis, then nod, then tilt; radians. ``z`` points to the viewer."""
    cy, sy, cp, sp = cos(yaw), sin(yaw), cos(pitch), sin(pitch)
    cr, sr = cos(roll), sin(roll)
    turn = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    nod = np.array([[1, 0, 0], [0, cp, sp], [0, -sp, cp]])
    tilt = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return np.asarray(tilt @ nod @ turn)


def draw_rotation(rng: np.random.Generator) -> NDArray[np.float64]:
    def angle(std: float, most: float) -> float:
        return radians(min(max(float(rng.normal(0, std)), -most), most))

    return rotation(yaw=angle(16.5, 28), pitch=angle(7.5, 17), roll=angle(7.3, 28))


def place(
    turned: NDArray[np.float64],
    eyes: NDArray[np.floating],
    shape: tuple[int, int],
    rng: np.random.Generator,
) -> Pose:
    """Scale and shift so that the eyes ``(2, 3)`` lie where crops of the dataset have them."""
    height, width = shape
    left, right = eyes @ turned[:2].T
    apart = hypot(*(left - right))
    # A turned head is cropped somewhat wider than the eyes' distance alone would have it.
    scale = 0.3734 * width * apart**-0.75 * float(np.exp(rng.normal(0, 0.06)))
    jitter = rng.normal(0, [0.021, 0.026])
    wanted = np.array([0.503, 0.391]) + jitter
    middle = (left + right) / 2
    # Crops are centred on the face, which a turn moves against the eyes.
    wanted[0] -= 0.02 * turned[0, 2]
    offset = wanted * [width, height] - scale * middle
    return Pose(turned, scale, (float(offset[0]), float(offset[1])))


def heights_at(z: Floats, uv: NDArray[np.floating]) -> Floats:
    """The relief at ``(n, 2)`` frame coordinates, bilinear, as ``trace`` sees it."""
    x, y = RELIEF.index(uv)[None].transpose(2, 0, 1)
    seen = cv2.remap(z, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(seen[0])


def trace(z: Floats, pose: Pose, shape: tuple[int, int]) -> tuple[Floats, Floats]:
    """For each pixel of the picture the point of the relief that is seen there.

    A pixel's ray meets the frame's points ``q0 + d * h`` at the heights ``h``; Newton's method
    finds where the relief has that height.

    Returns:
        ``(H, W, 2)`` pixel indices of the relief raster, and ``(H, W)`` how far, in px, the ray
        misses the surface (0 where it meets it; growing outside the silhouette of a turned head).
    """
    back = np.linalg.inv(pose.rotation[:2, :2] * (pose.scale / RELIEF.scale))
    step = (-back @ pose.rotation[:2, 2] * pose.scale).astype(np.float32)
    slope = cv2.filter2D(z, cv2.CV_32F, _slope_kernel(step), borderType=cv2.BORDER_REPLICATE)
    both = cv2.merge([z, slope])

    def look(image: NDArray[Any], h: Floats, x: Floats, y: Floats) -> Floats:
        seen = cv2.remap(
            image, x + step[0] * h, y + step[1] * h, cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )  # fmt: skip
        return np.asarray(seen, np.float32)

    # Most of the way on every other pixel, from above, to find what is in front.
    x, y = _rays(pose, back, shape, 2)
    h = np.full(x.shape, _TOP, np.float32)
    damping = h
    for _ in range(4):
        seen = look(both, h, x, y)
        damping = np.maximum(1 - seen[..., 1], np.float32(0.45))
        h -= (h - seen[..., 0]) / damping
    # The rest on all, with the slopes found.
    x, y = _rays(pose, back, shape, 1)
    h, damping = _doubled(h, shape), _doubled(damping, shape)
    miss = h
    for _ in range(2):
        miss = h - look(z, h, x, y)
        h -= miss / damping
    missed = np.abs(miss) * np.float32(hypot(*step) * pose.scale / RELIEF.scale)
    x, y = x + step[0] * h, y + step[1] * h
    # A miss in the middle of the face is a fold beside the nose, not the silhouette.
    missed[np.abs(x - np.float32(RELIEF.origin[0])) < _MIDDLE * RELIEF.scale] = 0
    return np.asarray(cv2.merge([x, y])), missed


def _doubled(image: Floats, shape: tuple[int, int]) -> Floats:
    return np.asarray(cv2.resize(image, shape[::-1], interpolation=cv2.INTER_LINEAR), np.float32)


def _rays(
    pose: Pose, back: NDArray[np.floating], shape: tuple[int, int], every: int
) -> tuple[Floats, Floats]:
    """Relief indices ``x`` and ``y`` at height 0 of the rays of every first, second ... pixel
    (``every``); ``back`` turns px into indices."""
    # The first ray in the middle of its block of pixels, as ``cv2.resize`` has it.
    first = (every - 1) / 2
    px = (np.arange(first, shape[1], every) - pose.offset[0]).astype(np.float32)
    py = (np.arange(first, shape[0], every) - pose.offset[1]).astype(np.float32)[:, None]
    (a, b), (c, d) = back.astype(np.float32)
    x0, y0 = np.array(RELIEF.origin, np.float32)
    return px * a + (py * b + x0), px * c + (py * d + y0)


def _slope_kernel(step: Floats) -> Floats:
    """Correlating with it gives the derivative of the relief along ``step`` (px)."""
    kernel = np.zeros((3, 3), np.float32)
    kernel[1, 0], kernel[1, 2] = -step[0] / 2, step[0] / 2
    kernel[0, 1], kernel[2, 1] = -step[1] / 2, step[1] / 2
    return kernel
